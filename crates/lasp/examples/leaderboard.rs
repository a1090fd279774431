//! A leaderboard: scores come in anywhere, the best of each player counts.
//!
//! `cargo run -p lasp --example leaderboard`

use lasp::{Aggregate, Collection as _, Lasp, Set};
use serde::{Deserialize, Serialize};
use std::io::Write;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Score {
    player: String,
    game: u64,
    points: i64,
}

pub(crate) async fn run(out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    let lasp = Lasp::builder().listen("127.0.0.1:0").start().await?;
    let scores: Set<Score> = lasp.set("scores").await?;
    let score = |player: &str, game, points| Score { player: player.to_owned(), game, points };

    // For each player: how many games, the best, the mean. Each costs what a new score changes, not what there is.
    let points = |score: &Score| score.points;
    let figures = Aggregate::count().and(Aggregate::max(points)).and(Aggregate::avg(points));
    let players = scores.group_by(|score| score.player.clone()).aggregate(figures).await?;
    // The first: the greatest of the pairs of points and player.
    let first = players.map(|(player, ((_, best), _))| (best, player)).max().await?;

    scores.add_all([score("ann", 1, 310), score("ann", 2, 250), score("bob", 1, 290), score("cid", 1, 40)]).await?;
    for (player, ((games, best), mean)) in players.value().await? {
        writeln!(out, "{player}: best of {games} is {best}, mean {mean}")?;
    }
    writeln!(out, "first: {:?}", first.value().await?)?;

    // A score that was cheated is withdrawn; what followed from it goes with it.
    scores.remove(score("ann", 1, 310)).await?;
    writeln!(out, "first without ann's best: {:?}", first.value().await?)?;

    lasp.shutdown().await;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = Vec::new();
    run(&mut out).await?;
    Ok(std::io::stdout().write_all(&out)?)
}
