//! A client of a node: it updates a counter of its own and reads it, again and again, and notes how long that takes.

use lasp::Lasp;
use lasp_dataflow::{Op, Type};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Between two questions. A guess: a thousand a second are a busy client.
const PAUSE: Duration = Duration::from_millis(1);

/// One that asks until it is to end.
#[derive(Debug)]
pub struct Client {
    over: Arc<AtomicBool>,
    task: JoinHandle<Result<Vec<f64>, lasp::Error>>,
}

impl Client {
    /// Begins to ask; the counter is of this name.
    pub fn start(lasp: Lasp, counter: &'static str) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let ends = over.clone();
        Self { over, task: tokio::spawn(async move { ask(&lasp, counter, &ends).await }) }
    }

    /// How long each update with the reading after it took, in milliseconds.
    ///
    /// # Errors
    /// What the node said in the end, if it stopped.
    pub async fn end(self) -> Result<Vec<f64>, lasp::Error> {
        self.over.store(true, Ordering::Relaxed);
        self.task.await.unwrap_or_else(|_| Ok(Vec::new()))
    }
}

async fn ask(lasp: &Lasp, counter: &str, over: &AtomicBool) -> Result<Vec<f64>, lasp::Error> {
    let counter = lasp.declare(counter, Type::GCounter).await?;
    let mut took = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let asked = Instant::now();
        lasp.update(counter, Op::Increment(1)).await?;
        lasp.query(counter).await?;
        took.push(asked.elapsed().as_secs_f64() * 1000.0);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(took)
}
