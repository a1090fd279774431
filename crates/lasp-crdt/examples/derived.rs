//! Derived sets: what is computed from other sets, kept current by deltas, and mergeable itself.
//! `cargo run -p lasp-crdt --example derived`

use lasp_crdt::{AwSet, BaseId, Derived, EventStatus, Lattice, ReplicaId, Side};
use std::error::Error;
use std::io::{self, Write};

const EDITOR: ReplicaId = ReplicaId(1);
const SALES: ReplicaId = ReplicaId(2);

type Ads = AwSet<&'static str>;
/// Advertisement, price.
type Contracts = AwSet<(&'static str, u64)>;

fn ads_of(ads: &Ads) -> Derived<&'static str> {
    Derived::of(BaseId::of("ads"), ads)
}

/// Those worth showing.
fn contracts_of(contracts: &Contracts) -> Derived<(&'static str, u64)> {
    Derived::of(BaseId::of("contracts"), contracts).filter(|&(_, price)| price >= 10)
}

type Shown = Derived<(&'static str, (&'static str, u64))>;

fn names(shown: &Shown) -> Vec<(&'static str, u64)> {
    shown.iter().map(|&(_, contract)| contract).collect()
}

pub(crate) fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let (mut ads, mut contracts) = (Ads::new(), Contracts::new());
    ads.merge(ads.add_all(EDITOR, ["shoes", "tea", "soap"]));
    contracts.merge(contracts.add_all(SALES, [("shoes", 20), ("tea", 15), ("tea", 30), ("soap", 5)]));

    let join = |ads: &Ads, contracts: &Contracts| -> Shown {
        ads_of(ads).join(&contracts_of(contracts), |ad| *ad, |contract| contract.0)
    };
    let mut shown = join(&ads, &contracts);
    assert_eq!(names(&shown), [("shoes", 20), ("tea", 15), ("tea", 30)]);
    writeln!(out, "shown: {:?}", names(&shown))?;

    // A change of one side is derived from its delta alone, against the other side.
    let delta = contracts.add(SALES, ("soap", 50));
    shown.merge(ads_of(&ads).join_delta(&contracts_of(&delta), |ad| *ad, |contract| contract.0, Side::Right));
    contracts.merge(delta);
    assert_eq!(shown, join(&ads, &contracts));
    writeln!(out, "with a new contract: {:?}", names(&shown))?;

    // A removal takes away all that it supported. A copy that heard only of results follows it too.
    let mut copy = shown.clone();
    let delta = ads.remove(&"tea");
    let retraction = ads_of(&delta).join_delta(&contracts_of(&contracts), |ad| *ad, |contract| contract.0, Side::Left);
    ads.merge(delta);
    shown.merge(retraction.clone());
    copy.merge(retraction);
    assert!(shown == join(&ads, &contracts) && copy == shown);
    writeln!(out, "without tea: {:?}", names(&copy))?;

    // What became of an addition: it supports something, or was filtered out, or is removed.
    for (contract, dot) in [("soap", 5), ("soap", 50)].map(|contract| (contract, contracts.dots(&contract)[0])) {
        writeln!(out, "{contract:?}: {:?}", copy.status(BaseId::of("contracts"), dot))?;
    }
    let soap = contracts.dots(&("soap", 5))[0];
    assert_eq!(copy.status(BaseId::of("contracts"), soap), EventStatus::Filtered);
    assert_eq!(copy.base(BaseId::of("ads")).map(|base| base.dead().len()), Some(1));
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut io::stdout().lock())
}
