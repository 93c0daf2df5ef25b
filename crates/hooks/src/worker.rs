//! The thread of one hook.

use std::sync::Arc;

use dalsegno_config::{Action, Hook};
use serde_json::Value;

use crate::body::body;
use crate::command;
use crate::hooks::Report;
use crate::outcome::{Failure, Outcome};
use crate::queue::Queue;
use crate::retry::Retry;
use crate::stop::Stop;
use crate::webhook::Client;

/// All that the thread of a hook needs.
pub(crate) struct Worker {
    pub(crate) hook: Hook,
    pub(crate) queue: Arc<Queue>,
    pub(crate) stop: Arc<Stop>,
    pub(crate) retry: Retry,
    pub(crate) report: Report,
}

impl Worker {
    /// Delivers what comes until the queue is closed and empty.
    pub(crate) fn run(self) {
        let client = match &self.hook.action {
            Action::Webhook { .. } => Some(Client::new(&self.hook)),
            Action::Command(_) => None,
        };
        // Of these, the hook still has to be told that it missed them.
        let mut missed = 0;
        while let Some(next) = self.queue.next() {
            missed += next.missed;
            let (attempts, result) = if self.stop.is_said() {
                (0, Err(Failure::Closed))
            } else {
                self.deliver(client.as_ref(), &next.event, missed)
            };
            // Before it is told, so that whoever is told can count on it.
            self.queue.done();
            let outcome = Outcome {
                hook: self.hook.title(),
                event: text(&next.event, "id").map(str::to_owned),
                attempts,
                missed,
                result,
            };
            missed = if told(&outcome.result) { 0 } else { missed + 1 };
            (self.report)(outcome);
        }
    }

    fn deliver(
        &self,
        client: Option<&Client>,
        event: &Value,
        missed: u64,
    ) -> (u32, Result<(), Failure>) {
        let word = text(event, "event").unwrap_or_default();
        match client {
            Some(client) => {
                let bytes = with_missed(body(event), missed).to_string().into_bytes();
                client.deliver(&self.hook, word, &bytes, &self.retry, &self.stop)
            }
            None => {
                let mut line = with_missed(event.clone(), missed).to_string().into_bytes();
                line.push(b'\n');
                (1, command::run(&self.hook, word, line, &self.stop))
            }
        }
    }
}

/// Whether the hook got the event: a command did also where it then failed.
fn told(result: &Result<(), Failure>) -> bool {
    matches!(
        result,
        Ok(()) | Err(Failure::Exit { .. } | Failure::TimedOut { .. })
    )
}

fn with_missed(mut event: Value, missed: u64) -> Value {
    if let Some(members) = event.as_object_mut().filter(|_| missed > 0) {
        members.insert("missed".to_owned(), missed.into());
    }
    event
}

pub(crate) fn text<'a>(event: &'a Value, name: &str) -> Option<&'a str> {
    event.get(name).and_then(Value::as_str)
}
