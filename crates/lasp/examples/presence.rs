//! Who is online, on how many devices: a set of sessions, and what follows from it.
//!
//! `cargo run -p lasp --example presence`

use lasp::{Collection as _, Lasp, Reaches, Set};
use serde::{Deserialize, Serialize};
use std::io::Write;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Device {
    Phone { model: String },
    Browser,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Session {
    user: String,
    device: Device,
}

fn session(user: &str, device: Device) -> Session {
    Session { user: user.to_owned(), device }
}

pub(crate) async fn run(out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    let lasp = Lasp::builder().listen("127.0.0.1:0").start().await?;
    let sessions: Set<Session> = lasp.set("sessions").await?;
    let online = sessions.map(|session| session.user).await?; // each user once, however many sessions
    let devices = sessions.group_by(|session| session.user.clone()).count().await?;
    let phones = sessions.filter(|session| matches!(session.device, Device::Phone { .. })).count().await?;

    sessions.add(session("ann", Device::Browser)).await?;
    sessions.add(session("ann", Device::Phone { model: "x".to_owned() })).await?;
    sessions.add(session("bob", Device::Browser)).await?;
    writeln!(out, "online: {:?}", online.read(Reaches(["ann", "bob"])).await?)?;
    writeln!(out, "devices: {:?}", devices.value().await?)?;
    writeln!(out, "phones: {:?}", phones.value().await?)?;

    sessions.remove(session("ann", Device::Browser)).await?;
    writeln!(out, "one of ann's sessions ends: {:?}", online.value().await?)?;
    sessions.remove(session("ann", Device::Phone { model: "x".to_owned() })).await?;
    writeln!(out, "the other, too: {:?}", online.value().await?)?;

    lasp.shutdown().await;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = Vec::new();
    run(&mut out).await?;
    Ok(std::io::stdout().write_all(&out)?)
}
