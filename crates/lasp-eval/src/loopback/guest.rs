//! A node on a thread of its own, as if in a process of its own.

use lasp::Lasp;
use lasp::builder::{Builder, StartError};
use std::sync::mpsc;
use std::thread::JoinHandle;

/// Why there is no node.
#[derive(Debug, thiserror::Error)]
pub enum GuestError {
    /// The system gives no thread, or no runtime.
    #[error("a node's thread does not start: {0}")]
    Thread(#[from] std::io::Error),
    /// It did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Its thread ended.
    #[error("a node's thread ended before it had started")]
    Ended,
    /// It stopped.
    #[error(transparent)]
    Stopped(#[from] lasp::Error),
}

/// A node that runs.
#[derive(Debug)]
pub struct Guest {
    /// The node.
    pub lasp: Lasp,
    thread: JoinHandle<()>,
}

impl Guest {
    /// Starts a node; it listens when this returns.
    ///
    /// # Errors
    /// [`GuestError`]; nothing runs then.
    pub fn start(builder: Builder) -> Result<Self, GuestError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (started, start) = mpsc::channel();
        let thread = std::thread::Builder::new().name("node".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let lasp = builder.start().await;
                let running = lasp.as_ref().ok().cloned();
                if started.send(lasp).is_ok()
                    && let Some(lasp) = running
                {
                    lasp.stopped().await;
                }
            });
        })?;
        let lasp = start.recv().map_err(|_| GuestError::Ended)??;
        Ok(Self { lasp, thread })
    }

    /// Ends it.
    pub async fn end(self) {
        self.lasp.shutdown().await;
        // It has nothing left to do.
        let _ = self.thread.join();
    }
}
