//! Maps: settings in sections, which can be reset, and hits per page. `cargo run -p lasp-crdt --example settings`

use lasp_crdt::{AwMap, AwSet, GCounter, GMap, Lattice, MvMap, ReplicaId};
use std::error::Error;
use std::io::{self, Write};

const PHONE: ReplicaId = ReplicaId(1);
const LAPTOP: ReplicaId = ReplicaId(2);

pub(crate) fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    sections(out)?;
    devices(out)?;
    hits(out)
}

/// Section, setting, value. A reset of a section takes away what it has seen of it, and nothing else.
fn sections(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    type Settings = AwMap<&'static str, MvMap<&'static str, &'static str>>;
    let set = |settings: &Settings, by, section, key, value| {
        settings.apply(section, |section| section.apply(key, |register| register.write(by, value)))
    };
    let mut phone = Settings::new();
    phone.merge(set(&phone, PHONE, "editor", "theme", "dark"));
    phone.merge(set(&phone, PHONE, "editor", "font", "mono"));
    phone.merge(set(&phone, PHONE, "mail", "sound", "on"));
    let mut laptop = phone.clone();

    phone.merge(phone.remove(&"editor"));
    laptop.merge(set(&laptop, LAPTOP, "editor", "font", "serif"));
    phone.merge(laptop);

    let editor = phone.get(&"editor").ok_or("a setting that the reset had not seen")?;
    assert!(editor.get(&"theme").is_none());
    assert_eq!(editor.get(&"font").and_then(|font| font.single()), Some(&"serif"));
    for (name, section) in phone.iter() {
        for (key, register) in section.iter() {
            writeln!(out, "{name}.{key} = {:?}", register.values())?;
        }
    }
    Ok(())
}

/// Sets under keys: a key without elements is not there.
fn devices(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut rooms: AwMap<&str, AwSet<&str>> = AwMap::new();
    rooms.merge(rooms.apply("hall", |devices| devices.add_all(PHONE, ["lamp", "bell"])));
    rooms.merge(rooms.apply("attic", |devices| devices.add(PHONE, "fan")));
    rooms.merge(rooms.apply("attic", |devices| devices.remove(&"fan")));
    assert!(!rooms.contains_key(&"attic"));
    let rooms = rooms.iter().map(|(name, devices)| (*name, Vec::from_iter(devices.iter())));
    writeln!(out, "rooms: {:?}", Vec::from_iter(rooms))?;
    Ok(())
}

/// Keys that are never removed can hold any type, here counters; many changes make one delta.
fn hits(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut hits: GMap<&str, GCounter> = GMap::new();
    let delta = hits.apply_all([("/", 1), ("/help", 1), ("/", 2)], |hits, n| hits.increment(PHONE, n));
    hits.merge(delta);
    assert_eq!(hits.get(&"/").map(GCounter::value), Some(3));
    for (page, count) in hits.iter() {
        writeln!(out, "hits of {page}: {}", count.value())?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut io::stdout().lock())
}
