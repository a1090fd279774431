//! The advertisement counter: the application of the talk (and of "Selective Hearing", W-PSDS'15).
//!
//! A server publishes ads and contracts; what is displayable is derived: ads joined with contracts on their number.
//! Clients show a random displayable ad again and again, and count it in the ad's own grow-only counter. When a counter
//! reaches its contract, a trigger removes the ad. A client has seen the end when it has seen ads and none is left.
//!
//! Light clients hear the derived set, the counters and the convergence structure, and nothing else; the server derives
//! and enforces. Heavy ones hear everything and do both themselves.

use crate::config::AdvertisementCounter;
use crate::record::Role;
use crate::scenario::completion::{self, STATUS};
use crate::scenario::{Member, measure};
use lasp::{Collection as _, Error, GCounter, Interests, Set, Threshold};
use lasp_overlay::Rng;

/// An ad: its number and the name of its counter.
type Ad = (u64, String);
/// A contract: the number of its ad, and how many impressions it is worth.
type Contract = (u64, u64);
/// What can be displayed: an ad with its contract.
type Displayable = (Ad, Contract);

const ADS: &str = "ads";
const CONTRACTS: &str = "contracts";
const DISPLAYABLE: &str = "ads_with_contracts";
const COUNTERS: &str = "impressions/";

/// A client waits up to this much longer than the interval between two impressions. As the original: a fifth is a guess.
const JITTER: f64 = 0.2;

/// Plays server or client.
pub(crate) async fn play(member: &Member, options: &AdvertisementCounter) -> Result<(), Error> {
    let light = member.role() == Role::Client && !options.heavy_clients;
    if light {
        let heard = [DISPLAYABLE, COUNTERS, STATUS, "roll-call"];
        member.lasp.interested(Interests::prefixes(heard)).await?;
    }
    let displayable: Set<Displayable> = member.lasp.set(DISPLAYABLE).await?;
    let mut common = vec![(DISPLAYABLE.to_owned(), displayable.id())];
    for (_, name) in ads(options) {
        common.push((name.clone(), measure::follow_counter(member, &name).await?.id()));
    }
    measure::follow_changes(member, displayable.id());
    member.roll_call().await?;
    match member.role() {
        Role::Server => serve(member, options, &displayable).await?,
        Role::Client if light => browse(member, options, &displayable).await?,
        Role::Client => {
            derive(member, &displayable).await?;
            enforce(member, options).await?;
            browse(member, options, &displayable).await?;
        }
    }
    completion::finish(member, &common).await
}

/// All ads.
fn ads(options: &AdvertisementCounter) -> impl Iterator<Item = Ad> {
    (0..options.ads as u64).map(|number| (number, format!("{COUNTERS}ad-{number}")))
}

/// Publishes everything, enforces the contracts, and waits until no ad is left.
async fn serve(member: &Member, options: &AdvertisementCounter, displayable: &Set<Displayable>) -> Result<(), Error> {
    let contracts: Set<Contract> = member.lasp.set(CONTRACTS).await?;
    contracts.add_all(ads(options).map(|(number, _)| (number, options.impressions))).await?;
    member.journal.updated();
    let published: Set<Ad> = member.lasp.set(ADS).await?;
    published.add_all(ads(options)).await?;
    member.journal.updated();
    enforce(member, options).await?;
    // Derived only now: the first that a light client hears of the derived set has every ad in it.
    derive(member, displayable).await?;
    until_none_is_left(displayable).await
}

/// Derives what can be displayed, where ads and contracts are heard.
async fn derive(member: &Member, displayable: &Set<Displayable>) -> Result<(), Error> {
    let published: Set<Ad> = member.lasp.set(ADS).await?;
    let contracts: Set<Contract> = member.lasp.set(CONTRACTS).await?;
    published.read(Threshold::Bound).await?;
    contracts.read(Threshold::Bound).await?;
    let matching = published.join(&contracts, |(ad, _)| *ad, |(ad, _)| *ad);
    matching.derive_into(displayable).await?.detach();
    Ok(())
}

/// Removes each ad once its counter has reached its contract.
async fn enforce(member: &Member, options: &AdvertisementCounter) -> Result<(), Error> {
    let published: Set<Ad> = member.lasp.set(ADS).await?;
    for ad in ads(options) {
        let counter = member.lasp.gcounter(&ad.1).await?;
        let (journal, published) = (member.journal.clone(), published.clone());
        let filled = counter.invariant(Threshold::AtLeast(options.impressions as i64), move || async move {
            if published.contains(ad.clone()).await? {
                published.remove(ad).await?;
                journal.updated();
            }
            Ok::<(), Error>(())
        });
        member.lasp.spawn(async move {
            // Fails only if the node stops, and then there is nothing to enforce.
            let _ = filled.await;
        });
    }
    Ok(())
}

/// Shows ads until none is left.
async fn browse(member: &Member, options: &AdvertisementCounter, displayable: &Set<Displayable>) -> Result<(), Error> {
    let mut rng = member.rng();
    displayable.read(Threshold::Bound).await?;
    loop {
        member.lasp.sleep(pause(&mut rng, options)).await?;
        let choice = displayable.value().await?;
        let Some(((_, name), _)) = rng.choose(&choice) else { return Ok(()) };
        let counter: GCounter = member.lasp.gcounter(name).await?;
        counter.increment(1).await?;
        member.journal.counted(name, 1);
    }
}

fn pause(rng: &mut Rng, options: &AdvertisementCounter) -> std::time::Duration {
    let base = options.impression_interval.duration();
    rng.duration(base, base.mul_f64(1.0 + JITTER))
}

/// Waits until the set, which has elements, has none.
async fn until_none_is_left(displayable: &Set<Displayable>) -> Result<(), Error> {
    let mut watch = displayable.watch().await?;
    while !displayable.value().await?.is_empty() {
        if watch.next().await?.is_none() {
            break;
        }
    }
    Ok(())
}
