//! What happens, told as tuples of a time, a word, a session, an actor, and a dict of what else there is to say.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dalsegno::{Event, FollowPlace};
use jiff::Timestamp;
use pyo3::prelude::*;
use pyo3::types::PyAnyMethods;

use crate::error;
use crate::handle::Handle;
use crate::show::show;

type Told<'py> = (
    Timestamp,
    &'static str,
    Option<String>,
    Option<String>,
    Bound<'py, PyAny>,
);

fn tell(py: Python<'_>, event: Event) -> PyResult<Told<'_>> {
    let word = event.what.word();
    let detail = show(py, &event.what)?;
    // By this name, JSON has the word.
    detail.del_item("event")?;
    Ok((event.at, word, event.session, event.actor, detail))
}

fn tell_all(py: Python<'_>, events: Vec<Event>) -> PyResult<Vec<Told<'_>>> {
    events.into_iter().map(|event| tell(py, event)).collect()
}

/// A listener in this process.
#[pyclass(frozen, module = "dalsegno._dalsegno")]
pub(crate) struct Subscription {
    events: dalsegno::Subscription,
    process: u32,
}

impl Subscription {
    /// Whoever was at it in the parent may have been halfway.
    fn check_process(&self, py: Python<'_>) -> PyResult<()> {
        if self.process == std::process::id() {
            return Ok(());
        }
        let message = "this subscription is that of the parent process; subscribe in this one";
        Err(error::invalid(py, message))
    }
}

#[pymethods]
impl Subscription {
    /// The next event; None where none came for so many seconds, or none will come any more.
    fn wait<'py>(&self, py: Python<'py>, seconds: f64) -> PyResult<Option<Told<'py>>> {
        self.check_process(py)?;
        let timeout = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO);
        // What is there is taken at once.
        let event = match self.events.wait(Duration::ZERO) {
            None if !timeout.is_zero() => py.detach(|| self.events.wait(timeout)),
            event => event,
        };
        event.map(|event| tell(py, event)).transpose()
    }

    fn missed(&self, py: Python<'_>) -> PyResult<u64> {
        self.check_process(py)?;
        Ok(self.events.missed())
    }
}

/// A place up to which the store's events are known.
#[pyclass(frozen, module = "dalsegno._dalsegno")]
pub(crate) struct Follower {
    /// Locked only by whoever holds the interpreter's lock, for a moment.
    place: Mutex<FollowPlace>,
}

#[pymethods]
impl Handle {
    fn events<'py>(&self, py: Python<'py>, count: usize) -> PyResult<Vec<Told<'py>>> {
        let events = self.run(py, |engine| engine.events(count))?;
        tell_all(py, events)
    }

    fn subscribe(&self, py: Python<'_>) -> PyResult<Subscription> {
        let events = self.run(py, |engine| Ok(engine.subscribe()))?;
        Ok(Subscription {
            events,
            process: std::process::id(),
        })
    }

    fn follow(&self, py: Python<'_>) -> PyResult<Follower> {
        let place = self.run(py, |engine| Ok(engine.follow()?.place()))?;
        Ok(Follower {
            place: Mutex::new(place),
        })
    }

    /// What happened since the follower last looked.
    fn poll<'py>(&self, py: Python<'py>, follower: &Follower) -> PyResult<Vec<Told<'py>>> {
        let place = *follower
            .place
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (events, next) = self.run(py, |engine| {
            let mut follower = engine.follow_from(place);
            let events = follower.poll()?;
            Ok((events, follower.place()))
        })?;
        *follower
            .place
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = next;
        tell_all(py, events)
    }
}
