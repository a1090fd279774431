//! What the node says, as news: its stream of changes, and beside it what is asked for again and again. When the node or the
//! way to it is gone, that is news, and it is tried again until it is back.

use super::api::{Event, Links, Members, Overlay, Statistics, Status, Variables};
use super::client::{Connection, Place, Stream, Trouble};
use super::list::{List, MEMBERS, MOST, Put, Reach, VARIABLES};
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

const STREAM: &str = "/api/v1/stream?topics=status,statistics,events,overlay";

/// Follows the node until nobody listens to the news any more.
pub(super) async fn follow(place: Place, mut wanted: watch::Receiver<Reach>, news: mpsc::Sender<News>) {
    let mut failures = 0;
    loop {
        let Err(End::Trouble(trouble)) = listen(&place, &mut wanted, &news, &mut failures).await else { return };
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
    wanted: &mut watch::Receiver<Reach>,
    news: &mpsc::Sender<News>,
    failures: &mut usize,
) -> Result<Infallible, End> {
    let changes = place.connect().await?.stream(STREAM).await?;
    news.send(News::Connected).await?;
    *failures = 0;
    tokio::select! {
        end = heed(place, changes, news) => end,
        end = ask(place, wanted, news) => end,
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

/// Asks for links, members and variables again and again, and at once for what is wanted beside.
async fn ask(place: &Place, wanted: &mut watch::Receiver<Reach>, news: &mpsc::Sender<News>) -> Result<Infallible, End> {
    let mut asking = Asking::new(place.connect().await?, news);
    let mut again = interval(AGAIN);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_time = tokio::select! {
            _ = again.tick() => true,
            changed = wanted.changed() => match changed {
                Ok(()) => false,
                Err(_) => return Err(End::Unheard),
            },
        };
        let reach = wanted.borrow_and_update().clone();
        asking.variables(&reach, is_time, wanted).await?;
        asking.members(&reach, is_time, wanted).await?;
        if is_time {
            news.send(News::Links(asking.connection.get::<Links>("/api/v1/links").await?)).await?;
        }
    }
}

/// What has been asked for so far.
struct Asking<'a> {
    connection: Connection,
    news: &'a mpsc::Sender<News>,
    search: String,
    /// Where parts begin and how long they are.
    variables: List<()>,
    members: List<()>,
    /// Which part comes next of those that are asked for in turn.
    turn: usize,
}

impl<'a> Asking<'a> {
    fn new(connection: Connection, news: &'a mpsc::Sender<News>) -> Self {
        let (variables, members) = (List::default(), List::default());
        Self { connection, news, search: String::new(), variables, members, turn: 0 }
    }

    /// The first part again and one of the others, if it is time; and parts until there are so many lines as are wanted, or
    /// something else is.
    async fn variables(&mut self, reach: &Reach, is_time: bool, wanted: &watch::Receiver<Reach>) -> Result<(), End> {
        if self.search != reach.search {
            (self.search, self.variables) = (reach.search.clone(), List::default());
        }
        for place in again(&self.variables, is_time, &mut self.turn) {
            self.ask_variables(place).await?;
        }
        while is_short(&self.variables, reach.variables, MOST / VARIABLES) && !is_other(wanted) {
            self.ask_variables(self.variables.parts()).await?;
        }
        Ok(())
    }

    async fn ask_variables(&mut self, place: usize) -> Result<(), End> {
        let Some(from) = self.variables.begin(place) else { return Ok(()) };
        let part = self.connection.get::<Variables>(&variables(&self.search, from)).await?;
        let put = if self.variables.parts() == 0 { Put::Anew } else { Put::At(place) };
        self.variables.put(put, vec![(); part.variables.len()], part.next);
        Ok(self.news.send(News::Variables(put, part)).await?)
    }

    /// As with variables.
    async fn members(&mut self, reach: &Reach, is_time: bool, wanted: &watch::Receiver<Reach>) -> Result<(), End> {
        for place in again(&self.members, is_time, &mut self.turn) {
            self.ask_members(place).await?;
        }
        while is_short(&self.members, reach.members, MOST / MEMBERS) && !is_other(wanted) {
            self.ask_members(self.members.parts()).await?;
        }
        Ok(())
    }

    async fn ask_members(&mut self, place: usize) -> Result<(), End> {
        let Some(from) = self.members.begin(place) else { return Ok(()) };
        let part = self.connection.get::<Members>(&members(from)).await?;
        let put = if self.members.parts() == 0 { Put::Anew } else { Put::At(place) };
        self.members.put(put, vec![(); part.members.len()], part.next);
        Ok(self.news.send(News::Members(put, part)).await?)
    }
}

/// Which parts to ask for again: the first, and the others in turn, so that a long list costs the node no more than two parts.
fn again(list: &List<()>, is_time: bool, turn: &mut usize) -> Vec<usize> {
    if !is_time || list.parts() == 0 {
        return Vec::new();
    }
    *turn += 1;
    let others = list.parts() - 1;
    [0].into_iter().chain((others > 0).then(|| 1 + *turn % others)).collect()
}

/// Whether there are fewer lines than are wanted, and more to be had; of what is found seldom, parts may be empty.
fn is_short(list: &List<()>, wanted: usize, most_parts: usize) -> bool {
    list.parts() == 0 || (list.len() < wanted && list.has_more() && list.parts() < most_parts)
}

/// Whether something else is wanted meanwhile; also if nobody wants anything any more.
fn is_other(wanted: &watch::Receiver<Reach>) -> bool {
    wanted.has_changed().unwrap_or(true)
}

/// Where members are from a place on.
fn members(from: u64) -> String {
    format!("/api/v1/members?limit={MEMBERS}&offset={from}")
}

/// Where variables are whose names contain a text, from a place on.
fn variables(search: &str, from: u64) -> String {
    let mut path = format!("/api/v1/variables?limit={VARIABLES}&from={from}&q=");
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
        News::Members(Put::Anew, connection.get(&members(0)).await?),
        News::Links(connection.get("/api/v1/links").await?),
        News::Variables(Put::Anew, connection.get(&variables("", 0)).await?),
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
        let path = "/api/v1/variables?limit=200&from=7&q=shop%2Fads%20%26%20%F0%9F%90%9D";
        assert_eq!(variables("shop/ads & 🐝", 7), path);
    }

    #[test]
    fn a_long_list_is_asked_for_in_turn_and_no_further_than_wanted() {
        let (mut list, mut turn) = (List::default(), 0);
        assert_eq!((again(&list, true, &mut turn), is_short(&list, 0, 9)), (Vec::new(), true));
        (0..4).for_each(|place| list.put(Put::At(place), vec![(); 200], Some(place as u64)));
        let seconds: Vec<Vec<usize>> = (0..4).map(|_| again(&list, true, &mut turn)).collect();
        assert_eq!(seconds, [[0, 2], [0, 3], [0, 1], [0, 2]]);
        assert_eq!(again(&list, false, &mut turn), Vec::<usize>::new());
        assert_eq!([800, 801].map(|lines| is_short(&list, lines, 9)), [false, true]);
        assert!(!is_short(&list, 801, 4), "no more parts than that, though they be empty");
        list.put(Put::At(4), vec![()], None);
        assert!(!is_short(&list, 9_999, 9), "there is no more");
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
