//! The node, its neighbourhood, its programs, and what happened around it.

use super::State;
use super::columns;
use super::input::{Json, Params};
use super::model::{
    Events, Link, Links, Member, Members, Overlay, OverlayPart, Part, Peer, Problem, Program, Programs, Since,
    Statistics, Status, Tree,
};
use crate::identity::wall_clock_ms;
use lasp_overlay::PeerId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Most entries in one part of a list.
pub(super) const MAX_PART: u64 = 1000;

/// Entries in one part unless asked otherwise.
pub(super) const PART: u64 = 100;

/// How long a round trip to a neighbour may take to be told.
const ECHO: Duration = Duration::from_secs(1);

/// The bounds of a part of a list of `total`, and where the next begins.
pub(super) fn bounds(
    offset: Option<u64>,
    limit: Option<u64>,
    usual: u64,
    total: usize,
) -> Result<(usize, usize, Option<u64>), Problem> {
    let limit = limit.unwrap_or(usual);
    if limit == 0 || limit > MAX_PART {
        return Err(Problem::bad(format!("limit is {limit}; it must be from 1 to {MAX_PART}")));
    }
    let from = usize::try_from(offset.unwrap_or(0)).unwrap_or(usize::MAX).min(total);
    let to = from.saturating_add(limit as usize).min(total);
    Ok((from, to, (to < total).then_some(to as u64)))
}

/// The node asked.
#[utoipa::path(get, path = "/api/v1/status", responses((status = 200, body = Status)))]
pub(super) async fn status(state: State) -> Result<Json<Status>, Problem> {
    Ok(Json(status_of(&state).await?))
}

pub(super) async fn status_of(shared: &super::Shared) -> Result<Status, Problem> {
    let report = shared.answers.status().await?;
    Ok(Status {
        me: report.me.into(),
        name: report.name,
        cluster: report.cluster,
        membership: report.membership,
        version: report.software,
        uptime_ms: report.uptime_ms,
        now_ms: wall_clock_ms(),
        active: report.active,
        passive: report.passive,
        interests: report.interests,
        variables: report.variables,
        fingerprint: format!("{:016x}", report.fingerprint),
        quiescent: report.quiescent,
        waiting: report.waiting,
        clients: report.clients,
        viewers: shared.viewers.load(Ordering::Relaxed) as u64,
        world: shared.world.as_ref().map(|world| world.state()),
        counters: report.counters.into_iter().collect(),
    })
}

/// Who is in the cluster, as far as the node knows: members, active and passive view, and who is reachable.
#[utoipa::path(get, path = "/api/v1/members", params(Part),
    responses((status = 200, body = Members), (status = 400, body = Problem)))]
pub(super) async fn members(state: State, Params(part): Params<Part>) -> Result<Json<Members>, Problem> {
    let all = state.lasp.members().await?;
    let ids =
        |contacts: &[lasp_overlay::Contact]| contacts.iter().map(|contact| contact.id).collect::<BTreeSet<PeerId>>();
    let (active, passive, reachable) = (ids(&all.active), ids(&all.passive), ids(&all.reachable));
    let standings: BTreeMap<PeerId, &str> =
        all.members.iter().map(|(contact, standing)| (contact.id, standing.name())).collect();
    let others: BTreeMap<PeerId, &lasp_overlay::Contact> = all
        .passive
        .iter()
        .chain(&all.active)
        .chain(all.members.iter().map(|(contact, _)| contact))
        .map(|contact| (contact.id, contact))
        .collect();
    let (from, to, next) = bounds(part.offset, part.limit, PART, others.len())?;
    let member = |(id, contact): (&PeerId, &&lasp_overlay::Contact)| Member {
        peer: Peer::from(*contact),
        standing: standings.get(id).map(|&standing| standing.to_owned()),
        active: active.contains(id),
        passive: passive.contains(id),
        reachable: reachable.contains(id),
    };
    let members = others.iter().skip(from).take(to - from).map(member).collect();
    Ok(Json(Members { me: Peer::from(&all.me), total: others.len() as u64, members, next }))
}

/// The node's links, with what waits for them and their round trips.
#[utoipa::path(get, path = "/api/v1/links", responses((status = 200, body = Links)))]
pub(super) async fn links(state: State) -> Result<Json<Links>, Problem> {
    let (me, links) = state.answers.links().await?;
    // An empty letter to a neighbour goes over the link itself and is answered at once.
    let mut echoes = Vec::new();
    for link in links.iter().take(MAX_PART as usize) {
        let id = PeerId(u64::from_str_radix(&link.peer.id, 16).unwrap_or_default());
        echoes.push(state.lasp.send(id, [].as_slice()).queue().await?);
    }
    let mut trips = Vec::new();
    let deadline = tokio::time::Instant::now() + ECHO;
    for echo in echoes {
        let echo = tokio::time::timeout_at(deadline, echo).await;
        trips.push(echo.ok().and_then(Result::ok).map(|delivery| delivery.after.as_micros() as u64));
    }
    let link = |(link, rtt_us): (crate::control::protocol::LinkReport, Option<u64>)| Link {
        peer: link.peer.into(),
        eager: link.eager,
        waiting: link.waiting,
        in_flight: link.in_flight,
        rtt_us,
    };
    let links = links.into_iter().zip(trips.into_iter().chain(std::iter::repeat(None))).map(link).collect();
    Ok(Json(Links { me: me.into(), links }))
}

/// The broadcast tree around the node. The overlay has that of all nodes.
#[utoipa::path(get, path = "/api/v1/tree", responses((status = 200, body = Tree)))]
pub(super) async fn tree(state: State) -> Result<Json<Tree>, Problem> {
    let look = state.lasp.inspect(|node| {
        let ids = |peers: &mut dyn Iterator<Item = PeerId>| peers.map(|peer| peer.to_string()).collect();
        let (eager, lazy) = (ids(&mut node.broadcast().eager()), ids(&mut node.broadcast().lazy()));
        Tree { root: "any".to_owned(), eager, lazy }
    });
    Ok(Json(look.await?))
}

/// What the overlay looks like: every node that can be asked, with its neighbours.
#[utoipa::path(get, path = "/api/v1/overlay", params(OverlayPart),
    responses((status = 200, body = Overlay), (status = 400, body = Problem)))]
pub(super) async fn overlay(state: State, Params(part): Params<OverlayPart>) -> Result<Json<Overlay>, Problem> {
    bounds(part.offset, part.limit, MAX_PART, 0)?;
    let (me, snapshot) = (state.lasp.me().await?, state.map.look(part.wide.unwrap_or(false)).await?);
    let (from, to, next) = bounds(part.offset, part.limit, MAX_PART, snapshot.nodes.len())?;
    let nodes = snapshot.nodes.values().skip(from).take(to - from).map(|node| (**node).clone()).collect();
    Ok(Json(Overlay {
        me: me.id.to_string(),
        at_ms: snapshot.at_ms,
        took_ms: snapshot.took_ms,
        total: snapshot.nodes.len() as u64,
        nodes,
        next,
    }))
}

/// The installed programs, with what went wrong.
#[utoipa::path(get, path = "/api/v1/programs", responses((status = 200, body = Programs)))]
pub(super) async fn programs(state: State) -> Result<Json<Programs>, Problem> {
    let program = |report: crate::control::protocol::ProgramReport| Program {
        name: report.name,
        version: report.version,
        state: report.state,
        report: report.report,
        errors: report.errors,
        errors_total: report.errors_total,
        variables: report.variables.into_iter().collect(),
    };
    Ok(Json(Programs { programs: state.answers.programs().await?.into_iter().map(program).collect() }))
}

/// What happened around the node lately.
#[utoipa::path(get, path = "/api/v1/events", params(Since),
    responses((status = 200, body = Events), (status = 400, body = Problem)))]
pub(super) async fn events(state: State, Params(since): Params<Since>) -> Json<Events> {
    let (events, forgotten) = state.recorder.events(since.since.unwrap_or(0));
    Json(Events { events, forgotten })
}

/// What the node counted, over the last ten minutes.
#[utoipa::path(get, path = "/api/v1/statistics", responses((status = 200, body = Statistics)))]
pub(super) async fn statistics(state: State) -> Json<Statistics> {
    let rows = state.recorder.rows(0).iter().map(|row| row.to_vec()).collect();
    Json(Statistics { columns: columns::names().to_vec(), rows })
}
