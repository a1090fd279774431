//! A world that is simulated: what its page can see beyond one node, and do.

use super::State;
use super::input::Json;
use super::model::Problem;
use axum::http::StatusCode;
use lasp_overlay::PeerId;
use lasp_overlay::survey::Record;
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// A simulated cluster behind a page. Its page is served by one of its nodes; what that node could only ask others, a world
/// shows as it is. Calls are short: whoever serves pages waits for them.
pub trait World: Send + Sync + fmt::Debug + 'static {
    /// Every node that is up, as it says of itself.
    fn records(&self, wide: bool) -> Vec<Record>;

    /// How the world goes.
    fn state(&self) -> WorldState;

    /// Does something to it.
    ///
    /// # Errors
    /// Why it cannot be done; nothing has changed then.
    fn act(&self, action: Action) -> Result<(), String>;
}

/// How a simulated world goes.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct WorldState {
    /// Whether time passes.
    pub running: bool,
    /// How many of its seconds pass in one, as asked.
    pub speed: f64,
    /// How many really do: fewer, where the machine cannot keep up.
    pub reached: f64,
    /// Its time.
    pub time_ms: u64,
    /// What everything random in it follows from.
    pub seed: u64,
    /// How many nodes it began with.
    pub nodes: u64,
    /// How many are up.
    pub up: u64,
    /// Whether something is cut.
    pub cut: bool,
    /// How many nodes in a hundred crash a minute, each replaced by a new one.
    pub churn: f64,
    /// Updates a second, each at a random node.
    pub updates: f64,
}

/// What can be done to a simulated world. Those without numbers have braces all the same: serde lets whatever else is said
/// beside a plain name pass.
#[derive(Clone, Debug, PartialEq, Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "lowercase", deny_unknown_fields)]
pub enum Action {
    /// Time passes.
    Play {},
    /// It stands still.
    Pause {},
    /// It passes so fast: seconds in one, up to 100.
    Speed {
        /// How many.
        factor: f64,
    },
    /// Everything begins again.
    Restart {
        /// From this seed.
        seed: u64,
        /// With so many nodes, up to 5,000.
        nodes: u64,
    },
    /// The network falls into so many parts of random nodes, from 2 to 8.
    Split {
        /// How many.
        parts: u64,
    },
    /// So many links in a hundred, at random, are cut both ways.
    Links {
        /// How many.
        percent: f64,
    },
    /// All that was cut is mended.
    Heal {},
    /// So many nodes in a hundred crash at once.
    Crash {
        /// How many.
        percent: f64,
    },
    /// One node crashes.
    Kill {
        /// Its id.
        node: String,
    },
    /// All that crashed come back.
    Revive {},
    /// From now on so many nodes in a hundred crash a minute, each replaced by a new one.
    Churn {
        /// How many; 0 ends it.
        percent: f64,
    },
    /// From now on so many updates are made a second, each at a random node.
    Updates {
        /// How many, up to 1,000; 0 ends it.
        rate: f64,
    },
}

impl Action {
    /// The node that is to be killed, if one is.
    ///
    /// # Errors
    /// If it is no id.
    pub fn victim(&self) -> Result<Option<PeerId>, String> {
        match self {
            Self::Kill { node } => {
                u64::from_str_radix(node, 16).map(|id| Some(PeerId(id))).map_err(|_| format!("{node:?} is no id"))
            }
            _ => Ok(None),
        }
    }

    /// Checks the numbers in it.
    ///
    /// # Errors
    /// What is wrong with which.
    fn check(&self) -> Result<(), String> {
        let within = |what: &str, value: f64, low: f64, high: f64| {
            let fits = (low..=high).contains(&value);
            if fits { Ok(()) } else { Err(format!("{what} is {value}; it must be from {low} to {high}")) }
        };
        match *self {
            Self::Speed { factor } => within("factor", factor, 0.01, 100.0),
            Self::Restart { nodes, .. } => within("nodes", nodes as f64, 1.0, 5000.0),
            Self::Split { parts } => within("parts", parts as f64, 2.0, 8.0),
            Self::Links { percent } | Self::Crash { percent } => within("percent", percent, 0.0, 100.0),
            Self::Churn { percent } => within("percent", percent, 0.0, 1000.0),
            Self::Updates { rate } => within("rate", rate, 0.0, 1000.0),
            Self::Play {} | Self::Pause {} | Self::Heal {} | Self::Kill { .. } | Self::Revive {} => Ok(()),
        }
    }
}

fn real() -> Problem {
    Problem::not_found("this node is a real one: there is no simulated world behind it")
}

/// How the simulated world goes that the node is in; 404 for a real one.
#[utoipa::path(get, path = "/api/v1/world", responses((status = 200, body = WorldState), (status = 404, body = Problem)))]
pub(super) async fn world(state: State) -> Result<Json<WorldState>, Problem> {
    state.world.as_ref().map(|world| Json(world.state())).ok_or_else(real)
}

/// Does something to the simulated world; 404 for a real node.
#[utoipa::path(post, path = "/api/v1/world", request_body = Action,
    responses((status = 200, body = WorldState), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
        (status = 415, body = Problem)))]
pub(super) async fn act(state: State, Json(action): Json<Action>) -> Result<Json<WorldState>, Problem> {
    let world = state.world.as_ref().ok_or_else(real)?;
    action.check().and_then(|()| action.victim().map(drop)).map_err(Problem::bad)?;
    world.act(action).map_err(|why| Problem::new(StatusCode::CONFLICT, why))?;
    Ok(Json(world.state()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Action, String> {
        let action: Action = serde_json::from_str(text).map_err(|error| error.to_string())?;
        action.check().map(|()| action)
    }

    #[test]
    fn actions_are_read_and_their_numbers_checked() {
        assert_eq!(read(r#"{"action":"play"}"#), Ok(Action::Play {}));
        assert_eq!(read(r#"{"action":"crash","percent":10}"#), Ok(Action::Crash { percent: 10.0 }));
        for wrong in [
            r#"{"action":"explode"}"#,
            r#"{"action":"crash"}"#,
            r#"{"action":"play","speed":2}"#,
            r#"{"action":"crash","percent":101}"#,
            r#"{"action":"speed","factor":0}"#,
            r#"{"action":"restart","seed":1,"nodes":1000000}"#,
            r#"{"action":"split","parts":1}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Action::Kill { node: "ff".to_owned() }.victim(), Ok(Some(PeerId(255))));
        assert!(Action::Kill { node: "bee".to_owned() + "s" }.victim().is_err());
    }
}
