//! Hooks: when the command is done, they are told of what it did.
//!
//! A command that only asks starts none. Within a hook none are started, so that a hook that saves does not run itself.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dalsegno::{Engine, Event, Subscription};
use dalsegno_hooks::{Hooks, Outcome};

use crate::settings::configuration;
use crate::{human, program};

/// How long hooks may take before the command ends without them.
const LAST: Duration = Duration::from_secs(60);

static HEARD: Mutex<Heard> = Mutex::new(Heard {
    listening: Vec::new(),
    hooks: None,
});

#[derive(Default)]
struct Heard {
    listening: Vec<Subscription>,
    /// Once there was something to tell: the hooks, if there are any.
    hooks: Option<Option<Hooks>>,
}

fn heard() -> MutexGuard<'static, Heard> {
    HEARD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Listens to what `engine` will do.
pub(crate) fn listen(engine: &Engine) {
    if !Hooks::is_within_one() {
        heard().listening.push(engine.subscribe());
    }
}

/// Tells the hooks of what happened so far, without waiting for them: for commands that run for long.
pub(crate) fn pass_on() {
    let Heard { listening, hooks } = &mut *heard();
    for event in listening.iter().flat_map(so_far) {
        let hooks = hooks.get_or_insert_with(start);
        if let (Some(hooks), Ok(event)) = (hooks, serde_json::to_value(event)) {
            hooks.send(&event);
        }
    }
}

/// Tells the hooks of the rest, and waits for them.
pub(crate) fn deliver() {
    pass_on();
    let Some(Some(hooks)) = std::mem::take(&mut *heard()).hooks else {
        return;
    };
    let left = hooks.close(LAST);
    if left > 0 {
        remark(&format!(
            "hooks were not told of {}",
            human::count(left, "event")
        ));
    }
}

/// What is there to be told, without waiting.
fn so_far(listening: &Subscription) -> impl Iterator<Item = Event> {
    std::iter::from_fn(|| listening.wait(Duration::ZERO))
}

/// The hooks of the configuration, if it has any. What is wrong with it is for the commands that use it, and
/// `doctor`, to say.
fn start() -> Option<Hooks> {
    let loaded = configuration().ok()?;
    for left in &loaded.left_out {
        remark(&left.to_string());
    }
    if loaded.config.hooks.is_empty() {
        return None;
    }
    let started = Hooks::start(loaded.config.hooks, |outcome| tell(&outcome));
    started
        .map_err(|error| remark(&format!("the hooks could not be started: {error}")))
        .ok()
}

fn tell(outcome: &Outcome) {
    if let Err(failure) = &outcome.result {
        remark(&format!("a hook failed: {}: {failure}", outcome.hook));
    }
}

/// Beside the answer, also where that is JSON: standard error is for people.
fn remark(text: &str) {
    use std::io::Write;
    let _unheard = writeln!(
        anstream::stderr(),
        "{}: {}",
        program::name(),
        human::safe(text)
    );
}
