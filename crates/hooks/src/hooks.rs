//! All hooks of a program.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use dalsegno_config::Hook;
use serde_json::Value;

use crate::command::VARIABLE;
use crate::outcome::Outcome;
use crate::queue::Queue;
use crate::retry::Retry;
use crate::stop::Stop;
use crate::worker::{Worker, text};

/// Whoever wants to know what became of events.
pub(crate) type Report = Arc<dyn Fn(Outcome) + Send + Sync>;

/// How hooks are run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// How many events may wait for a hook: 1,024. Where one more comes, the oldest is dropped.
    pub queue: usize,
    /// How webhooks are tried again.
    pub retry: Retry,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue: 1024,
            retry: Retry::default(),
        }
    }
}

/// All hooks of a program, each with a thread of its own.
///
/// Dropped, they end at once: what is running is killed, and what waits is not delivered. [`close`](Self::close)
/// gives them time.
pub struct Hooks {
    running: Vec<Running>,
}

struct Running {
    hook: Hook,
    queue: Arc<Queue>,
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

impl Options {
    /// How many events may wait for a hook.
    #[must_use]
    pub fn queue(mut self, events: usize) -> Self {
        self.queue = events;
        self
    }

    /// How webhooks are tried again.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Starts `hooks`; `report` is told what became of each event, by the hook's thread, which waits for it.
    ///
    /// # Errors
    /// As the operating system answers where it has no more threads.
    pub fn start(
        self,
        hooks: impl IntoIterator<Item = Hook>,
        report: impl Fn(Outcome) + Send + Sync + 'static,
    ) -> io::Result<Hooks> {
        let report: Report = Arc::new(report);
        let mut all = Hooks {
            running: Vec::new(),
        };
        for hook in hooks {
            let queue = Arc::new(Queue::new(self.queue));
            let stop = Arc::<Stop>::default();
            let worker = Worker {
                hook: hook.clone(),
                queue: Arc::clone(&queue),
                stop: Arc::clone(&stop),
                retry: self.retry,
                report: Arc::clone(&report),
            };
            let thread = thread::Builder::new()
                .name("dalsegno-hook".to_owned())
                .spawn(move || worker.run())?;
            all.running.push(Running {
                hook,
                queue,
                stop,
                thread: Some(thread),
            });
        }
        Ok(all)
    }
}

impl Hooks {
    /// Starts `hooks` with the usual [`Options`].
    ///
    /// # Errors
    /// As [`Options::start`].
    pub fn start(
        hooks: impl IntoIterator<Item = Hook>,
        report: impl Fn(Outcome) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Options::default().start(hooks, report)
    }

    /// Whether this program is itself run by a hook, directly or not. Programs that send events of their own
    /// should then start no hooks, so that a hook that saves does not run itself for ever.
    #[must_use]
    pub fn is_within_one() -> bool {
        std::env::var_os(VARIABLE).is_some_and(|word| !word.is_empty())
    }

    /// Tells each hook that wants to know of `event`. Takes microseconds, however slow the hooks are.
    pub fn send(&self, event: &Value) {
        let word = text(event, "event").unwrap_or_default();
        let session = text(event, "session");
        let wanted = self.running.iter().filter(|r| r.hook.wants(word, session));
        let mut shared = None;
        for running in wanted {
            let event = shared.get_or_insert_with(|| Arc::new(event.clone()));
            running.queue.add(Arc::clone(event));
        }
    }

    /// Takes no more events, gives the hooks so long to deliver those that wait, then ends them; gives how
    /// many were not delivered in that time.
    #[must_use]
    pub fn close(mut self, within: Duration) -> u64 {
        let now = Instant::now();
        let until = now.checked_add(within).unwrap_or(now);
        for running in &self.running {
            running.queue.close();
        }
        let mut left = 0;
        for running in &mut self.running {
            match running.queue.drained(until) {
                // It has nothing more to do, and reports no more once it has ended.
                0 => drop(running.thread.take().map(JoinHandle::join)),
                some => left += some,
            }
        }
        left
    }
}

impl Drop for Hooks {
    fn drop(&mut self) {
        for running in &self.running {
            running.queue.close();
            // A post that is under way is left to itself: it ends with its time limit, or the program.
            running.stop.say();
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hooks = self.running.iter().map(|running| &running.hook);
        f.debug_list().entries(hooks).finish()
    }
}
