//! Composition: a player of a game, put together from other types; no trait is implemented by hand.
//! `cargo run -p lasp-crdt --example game_player`

use lasp_crdt::compose::option;
use lasp_crdt::{
    AwSet, Boolean, Delta, Fingerprint, GCounter, GMap, GSet, Lattice, LexPair, MaxRegister, ReplicaId, Superseded,
    choice, codec, product,
};
use std::error::Error;
use std::io::{self, Write};

const CONSOLE: ReplicaId = ReplicaId(1);
const TABLET: ReplicaId = ReplicaId(2);

product! {
    /// Somebody who plays: each field merges on its own, and has a mutator of its own name.
    pub(crate) struct Player {
        /// Only grows.
        pub(crate) score: GCounter,
        /// Come and go.
        pub(crate) items: AwSet<String>,
        /// By name.
        pub(crate) quests: GMap<String, Quest>,
        /// Which season, and what was won in it: a new season starts empty.
        pub(crate) season: LexPair<MaxRegister<u64>, GSet<String>>,
        /// Not there until the player pairs a controller; then whether it was tested.
        pub(crate) controller: Option<Boolean>,
    }
}

choice! {
    /// A quest goes from one state to a later one, never back.
    pub(crate) enum Quest {
        /// Which steps are done.
        Running(GSet<String>),
        /// By how many points.
        Won(MaxRegister<u64>),
    }
}

pub(crate) fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut console = Player::default();
    // Several changes at once make one delta.
    let mut delta = console.score(|score| score.increment(CONSOLE, 10));
    delta.merge(console.items(|items| items.add_all(CONSOLE, ["lamp".to_owned(), "rope".to_owned()])));
    delta.merge(console.season(|season| season.replace(|number| number.write(1), GSet::new().add("cup".to_owned()))));
    console.merge(delta);
    let step = |player: &Player, name: &str| -> Result<Player, Superseded> {
        let running = player
            .quests
            .try_apply("cave".to_owned(), |quest| quest.apply(Quest::Running, |steps| steps.add(name.to_owned())))?;
        Ok(player.quests(|_| running))
    };
    console.merge(step(&console, "found the door")?);
    let mut tablet = console.clone();

    // On one device the quest is won and the lamp used up; on the other, which knows nothing of it, it goes on.
    let won =
        console.quests.try_apply("cave".to_owned(), |quest| quest.apply(Quest::Won, |points| points.write(50)))?;
    console.merge(console.quests(|_| won));
    console.merge(console.items(|items| items.remove(&"lamp".to_owned())));
    console.merge(console.season(|season| season.replace(|number| number.write(2), GSet::new())));
    tablet.merge(step(&tablet, "lit the lamp")?);
    tablet.merge(tablet.score(|score| score.increment(TABLET, 5)));
    tablet.merge(tablet.season(|season| season.snd(|prizes| prizes.add("medal".to_owned()))));
    tablet.merge(tablet.controller(|controller| option::apply(controller, |tested| tested.enable())));

    // Each sends the other what it lacks, and no more.
    let (for_tablet, for_console) = (console.delta(&tablet.digest()), tablet.delta(&console.digest()));
    console.merge(for_console);
    tablet.merge(for_tablet);
    assert!(console == tablet && console.fingerprint() == tablet.fingerprint());
    assert_eq!(step(&tablet, "too late").err(), Some(Superseded));

    let Some(Quest::Won(points)) = tablet.quests.get(&"cave".to_owned()) else { return Err("the later state".into()) };
    assert_eq!((tablet.score.value(), *points.value(), tablet.season.second().len()), (15, 50, 0));
    writeln!(out, "score: {}", tablet.score.value())?;
    writeln!(out, "items: {:?}", Vec::from_iter(tablet.items.iter()))?;
    writeln!(out, "cave: won, {} points", points.value())?;
    writeln!(out, "season {}: {} prizes", tablet.season.first().value(), tablet.season.second().len())?;
    writeln!(out, "controller tested: {:?}", tablet.controller.map(Boolean::value))?;

    let bytes = codec::to_bytes(&tablet);
    assert_eq!(codec::from_bytes(&bytes), Ok(tablet));
    writeln!(out, "all of it: {} bytes", bytes.len())?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut io::stdout().lock())
}
