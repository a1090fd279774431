//! What the node says, as news: its stream of changes, and beside it what is asked for again and again. When the node or the
//! way to it is gone, that is news, and it is tried again until it is back.

use super::api::{Event, Links, Members, Overlay, Statistics, Status, Variables};
use super::client::{Place, Stream, Trouble};
use super::model::News;
use super::sse::Message;
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};

/// How long to wait before the next attempt; the last for ever. As the page has it.
const RETRY: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// Time between two requests for what does not come by itself.
const AGAIN: Duration = Duration::from_secs(1);

/// Variables asked for. A guess: more than anybody scrolls through, and cheap to make once a second.
pub(super) const VARIABLES: usize = 200;

/// Members asked for: as many as come at once.
const MEMBERS: usize = 1000;

const STREAM: &str = "/api/v1/stream?topics=status,statistics,events,overlay";

/// Follows the node until nobody listens to the news any more.
pub(super) async fn follow(place: Place, mut search: watch::Receiver<String>, news: mpsc::Sender<News>) {
    let mut failures = 0;
    loop {
        let Err(End::Trouble(trouble)) = listen(&place, &mut search, &news, &mut failures).await else { return };
        if news.send(News::Lost(trouble.to_string())).await.is_err() {
            return;
        }
        sleep(RETRY[failures.min(RETRY.len() - 1)]).await;
        failures += 1;
    }
}

/// Why no more news come.
enum End {
    Trouble(Trouble),
    /// Nobody listens.
    Unheard,
}

impl From<Trouble> for End {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl<T> From<mpsc::error::SendError<T>> for End {
    fn from(_: mpsc::error::SendError<T>) -> Self {
        Self::Unheard
    }
}

async fn listen(
    place: &Place,
    search: &mut watch::Receiver<String>,
    news: &mpsc::Sender<News>,
    failures: &mut usize,
) -> Result<Infallible, End> {
    let changes = place.connect().await?.stream(STREAM).await?;
    news.send(News::Connected).await?;
    *failures = 0;
    tokio::select! {
        end = heed(place, changes, news) => end,
        end = ask(place, search, news) => end,
    }
}

/// Takes changes as they come.
async fn heed(place: &Place, mut changes: Stream, news: &mpsc::Sender<News>) -> Result<Infallible, End> {
    loop {
        let message = changes.next().await?;
        if let Some(heard) = read(place, &message)? {
            news.send(heard).await?;
        }
    }
}

/// What a message says; nothing if it is of a topic that is yet to come.
fn read(place: &Place, message: &Message) -> Result<Option<News>, Trouble> {
    fn json<T: DeserializeOwned>(place: &Place, message: &Message) -> Result<T, Trouble> {
        serde_json::from_str(&message.data)
            .map_err(|error| Trouble::NotLasp { addr: place.addr.clone(), problem: error.to_string() })
    }
    Ok(Some(match message.topic.as_str() {
        "status" => News::Status(json::<Status>(place, message)?),
        "statistics" => News::Statistics(json::<Statistics>(place, message)?),
        "events" => News::Events(json::<Vec<Event>>(place, message)?),
        "overlay" => News::Overlay(json::<Overlay>(place, message)?),
        _ => return Ok(None),
    }))
}

/// Asks for links, members and variables, at once where another search is wanted.
async fn ask(
    place: &Place,
    search: &mut watch::Receiver<String>,
    news: &mpsc::Sender<News>,
) -> Result<Infallible, End> {
    let mut connection = place.connect().await?;
    let mut again = interval(AGAIN);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let (all, wanted) = tokio::select! {
            _ = again.tick() => (true, search.borrow_and_update().clone()),
            changed = search.changed() => match changed {
                Ok(()) => (false, search.borrow_and_update().clone()),
                Err(_) => return Err(End::Unheard),
            },
        };
        news.send(News::Variables(connection.get::<Variables>(&variables(&wanted)).await?)).await?;
        if all {
            let members = connection.get::<Members>(&format!("/api/v1/members?limit={MEMBERS}")).await?;
            news.send(News::Members(members)).await?;
            news.send(News::Links(connection.get::<Links>("/api/v1/links").await?)).await?;
        }
    }
}

/// Where variables are whose names contain a text.
fn variables(search: &str) -> String {
    let mut path = format!("/api/v1/variables?limit={VARIABLES}&q=");
    for byte in search.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => path.push(char::from(byte)),
            _ => _ = write!(path, "%{byte:02X}"), // a string takes everything
        }
    }
    path
}

/// All of it, once.
pub(super) async fn once(place: &Place) -> Result<Vec<News>, Trouble> {
    let mut connection = place.connect().await?;
    Ok(vec![
        News::Status(connection.get(STATUS).await?),
        News::Connected,
        News::Statistics(connection.get("/api/v1/statistics").await?),
        News::Events(connection.get::<Events>("/api/v1/events").await?.events),
        News::Overlay(connection.get("/api/v1/overlay").await?),
        News::Members(connection.get(&format!("/api/v1/members?limit={MEMBERS}")).await?),
        News::Links(connection.get("/api/v1/links").await?),
        News::Variables(connection.get(&variables("")).await?),
    ])
}

pub(super) const STATUS: &str = "/api/v1/status";

#[derive(serde::Deserialize)]
struct Events {
    events: Vec<Event>,
}

/// The same as the node says it, as one object.
pub(super) async fn json(place: &Place) -> Result<serde_json::Value, Trouble> {
    let mut connection = place.connect().await?;
    let mut all = serde_json::Map::new();
    let topics = ["status", "statistics", "events", "overlay", "members", "links", "variables"];
    for topic in topics {
        all.insert(topic.to_owned(), connection.get(&format!("/api/v1/{topic}")).await?);
    }
    Ok(all.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_can_be_searched() {
        assert_eq!(variables("shop/ads & 🐝"), "/api/v1/variables?limit=200&q=shop%2Fads%20%26%20%F0%9F%90%9D");
    }

    #[test]
    fn messages_are_read_by_topic_and_what_is_none_is_refused() {
        let place = Place { addr: "a:1".to_owned(), token: None, patience: AGAIN };
        let message = |topic: &str, data: &str| Message { topic: topic.to_owned(), data: data.to_owned() };
        let statistics = read(&place, &message("statistics", r#"{"columns":null,"rows":[[1,2]]}"#));
        assert!(matches!(statistics, Ok(Some(News::Statistics(it))) if it.rows == [[1, 2]]));
        assert!(matches!(read(&place, &message("weather", "{}")), Ok(None)));
        assert!(matches!(read(&place, &message("events", "{}")), Err(Trouble::NotLasp { .. })));
    }
}
