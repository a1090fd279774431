//! A client's programs, run at the node one after the other by a thread of their own.
//!
//! Bindings, triggers and watches last as long as the client. Between two programs the thread sleeps until a trigger has
//! something to do.

use super::place::Place;
use super::protocol::{Binding, Refused, RunEnd, Say, Style};
use super::signals::Signals;
use crate::api::Lasp;
use lasp_lang::diagnostic::render_all;
use lasp_lang::explain::Recorder;
use lasp_lang::host::Host as _;
use lasp_lang::show::type_name;
use lasp_lang::term::Term;
use lasp_lang::{Line, Source, Stop};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Programs may nest as deep as under `lasp run`, whose main thread has as much.
const STACK: usize = 8 << 20;

/// Names that are told for completion, and bindings that are listed. A guess: more than a person reads.
const MAX_NAMES: usize = 4096;

/// What a session does for its client.
#[derive(Debug)]
pub(super) enum Job {
    /// Runs a program.
    Run { name: String, text: String, style: Style },
    /// Lists what is bound.
    Bindings,
    /// Shows the dataflow.
    Graph,
    /// Unbinds a name.
    Forget(String),
}

/// Where a session's answers go: `false` once nobody takes them.
pub(super) type Out = Box<dyn Fn(u32, Say) -> bool + Send + Sync>;

/// The client's end of its session; the thread ends with it.
#[derive(Debug)]
pub(super) struct Session(Arc<Signals<Job>>);

impl Session {
    /// Starts the thread.
    ///
    /// # Errors
    /// Where the system has no thread left.
    pub(super) fn start(lasp: Lasp, out: Out) -> io::Result<Self> {
        let signals = Signals::new();
        let session = Self(signals.clone());
        let work = move || Worker::new(lasp, signals, out).run();
        thread::Builder::new().name("lasp session".to_owned()).stack_size(STACK).spawn(work)?;
        Ok(session)
    }

    /// Gives it a job; `false` if too many wait.
    pub(super) fn push(&self, id: u32, job: Job) -> bool {
        self.0.push(id, job)
    }

    /// Interrupts a job; whether it was taken back before it began.
    pub(super) fn interrupt(&self, id: u32) -> bool {
        self.0.interrupt(id).is_some()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.0.close();
    }
}

struct Worker {
    signals: Arc<Signals<Job>>,
    session: lasp_lang::Session<Recorder<Place>>,
    out: Arc<Out>,
    /// Whose lines come now, and how they are to be written.
    voice: Arc<Mutex<(u32, Style)>>,
}

impl Worker {
    fn new(lasp: Lasp, signals: Arc<Signals<Job>>, out: Out) -> Self {
        let out = Arc::new(out);
        let voice = Arc::new(Mutex::new((0, Style::default())));
        let mut session = lasp_lang::Session::new(Recorder::new(Place::new(lasp, signals.clone())));
        session.interrupt_by(signals.flag());
        let (to, speaker) = (out.clone(), voice.clone());
        session.stream_to(Box::new(move |line| {
            say_line(&to, *speaker.lock().unwrap_or_else(PoisonError::into_inner), &line)
        }));
        Self { signals, session, out, voice }
    }

    fn run(mut self) {
        while let Ok(job) = self.signals.next_job() {
            match job {
                Some((id, job)) => {
                    let say = self.work(id, job);
                    if !(self.out)(id, say) {
                        return;
                    }
                }
                None => self.act(),
            }
        }
    }

    fn work(&mut self, id: u32, job: Job) -> Say {
        match job {
            Job::Run { name, text, style } => {
                *self.voice.lock().unwrap_or_else(PoisonError::into_inner) = (id, style);
                self.program(&Source::new(name, text), id, style)
            }
            Job::Bindings => {
                let bindings = self.session.bindings();
                Say::Bindings(bindings.into_iter().take(MAX_NAMES).map(bound).collect())
            }
            Job::Graph => Say::Graph(self.session.explanation().to_string()),
            Job::Forget(name) if self.session.forget(&name) => Say::Done,
            Job::Forget(name) => Say::Refused(Refused::failed(format!("{name:?} is not bound"))),
        }
    }

    fn program(&mut self, source: &Arc<Source>, id: u32, style: Style) -> Say {
        let out = self.out.clone();
        let result = self.session.run(source, &mut |line| say_line(&out, (id, style), &line));
        let (end, report) = match result {
            Ok(warnings) => (RunEnd::Finished, render_all(&warnings, source, style.color)),
            Err(Stop::Rejected(diagnostics)) => (RunEnd::Rejected, render_all(&diagnostics, source, style.color)),
            Err(Stop::Failed(fault)) => (RunEnd::Failed, fault.diagnostic().render(&fault.source, style.color)),
        };
        Say::Ran { end, report, names: self.names() }
    }

    fn names(&mut self) -> Vec<(String, Option<String>)> {
        let variable = |term: &Term| match term {
            Term::Variable(variable) => Some(variable.handle),
            _ => None,
        };
        let terms = self.session.terms().take(MAX_NAMES);
        let terms: Vec<_> = terms.map(|(name, term)| (name.to_owned(), variable(term))).collect();
        let host = self.session.host();
        terms.into_iter().map(|(name, variable)| (name, variable.map(|it| type_name(&host.type_of(it))))).collect()
    }

    /// Runs what triggers made due. What fails is told, and the rest comes after the jobs that wait.
    fn act(&mut self) {
        let (id, style) = *self.voice.lock().unwrap_or_else(PoisonError::into_inner);
        let out = self.out.clone();
        if let Err(fault) = self.session.act(&mut |line| say_line(&out, (id, style), &line)) {
            let error = Some(fault.diagnostic().render(&fault.source, style.color));
            (self.out)(id, Say::Line { text: None, error });
            self.signals.wake();
        }
    }
}

fn bound(binding: lasp_lang::Binding) -> Binding {
    let failures = binding.failures.map(|failures| (failures.count, failures.last));
    Binding { name: binding.name, kind: binding.kind, value: binding.value, failures }
}

fn say_line(out: &Out, (id, style): (u32, Style), line: &Line) {
    let error = line.is_error().then(|| match line {
        Line::DerivationFailed { report: Some((source, diagnostic)), .. } => diagnostic.render(source, style.color),
        other => other.to_string(),
    });
    let text = match style.json {
        true => Some(line.to_json()),
        false => (!line.is_error()).then(|| line.to_string()),
    };
    // Where nobody takes it any more, the thread is about to be told.
    let _ = out(id, Say::Line { text, error });
}
