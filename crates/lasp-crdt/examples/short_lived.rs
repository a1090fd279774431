//! A thousand browser sessions that come, write and go, and leave nothing behind: retiring replicas. The rules are in
//! "Retiring replicas" of `docs/lattices.md`. `cargo run -p lasp-crdt --example short_lived`

use lasp_crdt::{AwSet, GCounter, Lattice, ReplicaId, StillLive, codec, product};
use std::error::Error;
use std::io::{self, Write};

product! {
    /// What server and sessions share.
    pub(crate) struct Site {
        /// Page views.
        pub(crate) views: GCounter,
        /// Who is here.
        pub(crate) online: AwSet<u64>,
        /// What was said.
        pub(crate) notes: AwSet<String>,
    }
}

/// Hands out ids, in sequence, and answers for them: it is their steward.
struct Server {
    id: ReplicaId,
    site: Site,
    next: u64,
}

impl Server {
    fn open(&mut self) -> ReplicaId {
        self.next += 1;
        ReplicaId(self.next)
    }

    /// Ends a session all of whose deltas are here. It is gone for good: what should come from it now would not count.
    fn retire(&mut self, session: ReplicaId) -> Result<Site, StillLive> {
        // What a crashed session did not take away itself.
        let mut end = self.site.online(|online| online.remove(&session.0));
        // What shall stay is added in the server's own name.
        let left = self.site.notes.entries().filter(|(_, dots)| dots.iter().any(|dot| dot.replica == session));
        let left: Vec<String> = left.map(|(note, _)| note.clone()).collect();
        end.merge(self.site.notes(|notes| notes.add_all(self.id, left)));
        self.site.merge(end.clone());
        // Nothing lives by its dots any more, or this would refuse.
        let (online, notes) = (self.site.online.retire(session)?, self.site.notes.retire(session)?);
        end.merge(self.site.online(|_| online));
        end.merge(self.site.notes(|_| notes));
        end.merge(self.site.views(|views| views.retire(self.id, [session])));
        self.site.merge(end.clone());
        Ok(end)
    }
}

pub(crate) fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut server = Server { id: ReplicaId(1), site: Site::default(), next: 1 << 32 };
    let mut mirror = Site::default();
    let mut sessions = Vec::new();
    for n in 0..1_000u64 {
        let id = server.open();
        let mut session = server.site.clone();
        session.merge(session.views(|views| views.increment(id, n % 7 + 1)));
        session.merge(session.online(|online| online.add(id, id.0)));
        if n % 100 == 0 {
            session.merge(session.notes(|notes| notes.add(id, format!("hello from session {n}"))));
        }
        server.site.merge(session);
        sessions.push(id);
    }
    mirror.merge(server.site.clone());
    let (views, before) = (server.site.views.value(), codec::to_bytes(&server.site).len());
    writeln!(out, "{} sessions: {views} views, {before} bytes", server.site.online.len())?;

    // Too early: something lives by its dots.
    let refused = server.site.online.retire(sessions[0]).expect_err("it is online");
    writeln!(out, "refused: {refused}")?;

    // All of them are over, some without a word. The mirror hears of it, of one before the others and of some twice.
    let mut ends = Vec::new();
    for &session in &sessions {
        ends.push(server.retire(session)?);
    }
    for end in ends.iter().rev().chain(ends.iter().step_by(3)) {
        mirror.merge(end.clone());
    }
    assert_eq!(server.site, mirror);
    assert_eq!((server.site.views.value(), server.site.online.len(), server.site.notes.len()), (views, 0, 10));
    let entries = server.site.views.counts().count() + server.site.online.context().range_count();
    let after = codec::to_bytes(&server.site).len();
    assert!(entries == 1 && after < before / 20);
    writeln!(out, "all over: {views} views, {} notes, {after} bytes", server.site.notes.len())?;

    // A session that was only asleep finds out, and asks for a new id.
    let asleep = sessions[500];
    assert!(mirror.views.is_retired(asleep) && mirror.views.increment(asleep, 1).is_bottom());
    let again = server.open();
    mirror.merge(mirror.views(|views| views.increment(again, 1)));
    writeln!(out, "one comes back under a new id: {} views", mirror.views.value())?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut io::stdout().lock())
}
