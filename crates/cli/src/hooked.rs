//! Hooks: when the command is done, they are told of what it did.
//!
//! A command that only asks starts none. Within a hook none are started, so that a hook that saves does not run itself.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dalsegno::{Engine, Subscription};
use dalsegno_config::Loaded;
use dalsegno_hooks::{Hooks, Outcome};

use crate::human;
use crate::place::configuration;

/// How long hooks may take before the command ends without them.
const LAST: Duration = Duration::from_secs(60);

static LISTENING: Mutex<Vec<Subscription>> = Mutex::new(Vec::new());

/// Listens to what `engine` will do.
pub(crate) fn listen(engine: &Engine) {
    let mut listening = LISTENING.lock().unwrap_or_else(PoisonError::into_inner);
    listening.push(engine.subscribe());
}

/// Tells the hooks, and waits for them.
pub(crate) fn deliver() {
    let mut listening = LISTENING.lock().unwrap_or_else(PoisonError::into_inner);
    let events: Vec<_> = listening
        .drain(..)
        .flat_map(|heard| std::iter::from_fn(move || heard.wait(Duration::ZERO)))
        .filter_map(|event| serde_json::to_value(event).ok())
        .collect();
    if events.is_empty() || Hooks::is_within_one() {
        return;
    }
    // What is wrong with the configuration is for the commands that use it, and `doctor`, to say.
    let Ok(Loaded {
        config, left_out, ..
    }) = configuration()
    else {
        return;
    };
    for left in &left_out {
        remark(&format!("{left}"));
    }
    if config.hooks.is_empty() {
        return;
    }
    match Hooks::start(config.hooks, |outcome| tell(&outcome)) {
        Ok(hooks) => {
            events.iter().for_each(|event| hooks.send(event));
            let left = hooks.close(LAST);
            if left > 0 {
                remark(&format!(
                    "hooks were not told of {}",
                    human::count(left, "event")
                ));
            }
        }
        Err(error) => remark(&format!("the hooks could not be started: {error}")),
    }
}

fn tell(outcome: &Outcome) {
    if let Err(failure) = &outcome.result {
        remark(&format!("a hook failed: {}: {failure}", outcome.hook));
    }
}

/// Beside the answer, also where that is JSON: standard error is for people.
fn remark(text: &str) {
    use std::io::Write;
    let _unheard = writeln!(anstream::stderr(), "dalsegno: {}", human::safe(text));
}
