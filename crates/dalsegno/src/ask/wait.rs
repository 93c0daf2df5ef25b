//! Waiting for what becomes of a request.

use std::time::Duration;

use super::rows::{self, Found, Standing};
use super::{LOOK, PAUSE};
use crate::engine::Engine;
use crate::error::{Error, Result};

/// Why nobody waits any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Late {
    /// It took too long.
    TimedOut,
    /// Whoever asks does not want it any more.
    GivenUp,
    /// Whoever asks would rather do something else, if nobody has taken the request.
    SteppedBack,
}

impl Late {
    /// For people.
    pub(super) fn why(self, timeout: Duration) -> String {
        match self {
            Self::GivenUp | Self::SteppedBack => "this was interrupted".to_owned(),
            Self::TimedOut => {
                let timeout = jiff::SignedDuration::try_from(timeout);
                let timeout = timeout.unwrap_or(jiff::SignedDuration::MAX);
                format!("{} went by", crate::display_duration(timeout))
            }
        }
    }
}

/// How the request stands.
pub(super) struct Now {
    /// Nothing where it is not there.
    pub(super) found: Option<Found>,
    /// The one who was asked.
    pub(super) holder: Standing,
    pub(super) late: Option<Late>,
}

/// How long somebody waits.
pub(super) struct Patience<'a> {
    /// By the machine's monotonic clock, in milliseconds.
    pub(super) until: u64,
    pub(super) timeout: Duration,
    pub(super) give_up: Box<dyn FnMut() -> bool + 'a>,
    pub(super) step_back: Box<dyn FnMut() -> bool + 'a>,
}

impl<'a> Patience<'a> {
    pub(super) fn new(
        engine: &Engine,
        timeout: Duration,
        give_up: Box<dyn FnMut() -> bool + 'a>,
    ) -> Self {
        let millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        Self {
            until: engine.clock().uptime().saturating_add(millis),
            timeout,
            give_up,
            step_back: Box::new(|| false),
        }
    }

    pub(super) fn stepping_back(mut self, when: Box<dyn FnMut() -> bool + 'a>) -> Self {
        self.step_back = when;
        self
    }

    /// How long is left, in milliseconds.
    pub(super) fn left(&self, engine: &Engine) -> u64 {
        self.until.saturating_sub(engine.clock().uptime())
    }

    fn late(&mut self, engine: &Engine) -> Option<Late> {
        if (self.give_up)() {
            Some(Late::GivenUp)
        } else if self.left(engine) == 0 {
            Some(Late::TimedOut)
        } else if (self.step_back)() {
            Some(Late::SteppedBack)
        } else {
            None
        }
    }

    /// Looks at the request whenever the store changes, and now and then whether who was asked is still there, until
    /// `decide` has an answer. `decide` is asked again until it has one once nobody waits any longer.
    pub(super) fn wait<T>(
        &mut self,
        engine: &Engine,
        asked: &Found,
        mut decide: impl FnMut(Now) -> Result<Option<T>>,
    ) -> Result<T> {
        let store = engine.store();
        let id = &store.info().id;
        let (mut seen, mut looked) = (None, 0);
        loop {
            let late = self.late(engine);
            let version = Some(store.version()?);
            let now = engine.clock().uptime();
            if late.is_some() || seen != version || now.saturating_sub(looked) >= LOOK {
                let view = store.view()?;
                let found = rows::find(&*view, id, asked.row.id)?;
                let request = found.as_ref().map_or(&asked.request, |it| &it.request);
                let holder = Standing::of(&*view, id, request, engine.clock())?;
                drop(view);
                let now = Now {
                    found,
                    holder,
                    late,
                };
                if let Some(answer) = decide(now)? {
                    return Ok(answer);
                }
                (seen, looked) = (version, engine.clock().uptime());
            }
            std::thread::sleep(PAUSE);
        }
    }
}

/// Where the request is gone before it was answered: this program was counted as gone, or somebody meddled.
pub(super) fn vanished(verb: &str, session: &str) -> Error {
    Error::conflict(format!(
        "the request to {verb} {session} is not there any more; whether it was carried out is not known: see \
         `log {session}` and `snapshot list {session}`"
    ))
}
