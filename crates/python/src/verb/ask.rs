//! Asking the program that has a session open, attending to what others ask for, and handing sessions over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dalsegno::{Error, ErrorKind, Restored};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::Value;

use crate::attend::{Attending, Post};
use crate::given::{Given, value};
use crate::handle::Handle;
use crate::show::show;
use crate::{error, fork};

fn timeout(py: Python<'_>, seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| error::invalid(py, "timeout is a number of seconds from 0 on, such as 30.0"))
}

/// Whether nobody waits any longer: `withdrawn` says so, or a signal's handler raised.
fn gives_up(withdrawn: &Option<Py<PyAny>>, raised: &mut Option<PyErr>) -> bool {
    let looked = Python::try_attach(|py| {
        py.check_signals()?;
        match withdrawn {
            Some(withdrawn) => withdrawn.call0(py)?.is_truthy(py),
            None => Ok(false),
        }
    });
    looked.unwrap_or(Ok(true)).unwrap_or_else(|e| {
        *raised = Some(e);
        true
    })
}

/// What was raised meanwhile, with a note on what became of the work; else the work's own error.
fn raise(py: Python<'_>, raised: Option<PyErr>, error: &Error) -> PyErr {
    let Some(raised) = raised else {
        return error::raise(py, error);
    };
    let noted = raised
        .value(py)
        .call_method1("add_note", (error.to_string(),));
    noted.err().unwrap_or(raised)
}

#[pymethods]
impl Handle {
    /// `arguments` are JSON text. `withdrawn` is asked again and again whether nobody waits any longer.
    #[pyo3(signature = (session, verb, arguments, state, seconds, withdrawn))]
    #[allow(clippy::too_many_arguments)]
    fn ask<'py>(
        &self,
        py: Python<'py>,
        session: &str,
        verb: &str,
        arguments: Option<Given<'_>>,
        state: Option<Given<'_>>,
        seconds: f64,
        withdrawn: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let arguments = match arguments {
            Some(text) => value(py, &text.bytes(), "the arguments")?,
            None => Value::Null,
        };
        let state = state.map(Given::bytes);
        let timeout = timeout(py, seconds)?;
        let end = Instant::now().checked_add(timeout);
        loop {
            let left = end.map_or(timeout, |end| end.saturating_duration_since(Instant::now()));
            let (mut raised, mut stepped) = (None, false);
            let asked = self.kept.call(py, |engine| {
                let mut ask = engine
                    .ask(session, verb)
                    .arguments(arguments.clone())
                    .timeout(left)
                    .give_up_when(|| gives_up(&withdrawn, &mut raised))
                    .step_back_when(|| {
                        stepped |= Python::try_attach(fork::waits).unwrap_or(false);
                        stepped
                    });
                if let Some(state) = &state {
                    ask = ask.state(state.clone());
                }
                Ok(ask.send())
            })?;
            match asked {
                Ok(answer) => return show(py, &answer),
                // A fork waited for it. Nothing was changed; after it, it is asked anew.
                Err(error) if stepped && raised.is_none() && error.kind() == ErrorKind::Locked => {}
                Err(error) => return Err(raise(py, raised, &error)),
            }
        }
    }

    /// `program` has a method for each call of an attendant.
    fn attend(&self, py: Python<'_>, program: Py<PyAny>) -> PyResult<Attending> {
        let post = self
            .kept
            .call(py, |engine| Ok(Post::start(&engine, program)))?;
        let post = Arc::new(post.map_err(|e| error::raise(py, &e))?);
        self.kept.attend(py, &post);
        Ok(Attending::of(Arc::clone(&self.kept), post))
    }

    /// `check` is called with the newest state's text, or None.
    #[pyo3(signature = (session, seconds, check, withdrawn))]
    fn take_handover<'py>(
        &self,
        py: Python<'py>,
        session: &str,
        seconds: f64,
        check: Option<Py<PyAny>>,
        withdrawn: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let timeout = timeout(py, seconds)?;
        let (mut raised, mut refused) = (None, None);
        let taken = self.kept.call(py, |engine| {
            let give_up = || gives_up(&withdrawn, &mut raised);
            let look = |newest: Option<&Restored>| {
                let Some(check) = &check else { return Ok(()) };
                // A fork waits for all of it; what `check` calls does not wait for the fork.
                let _asks = fork::Asking::begin();
                let text = newest.map(Restored::current).transpose()?;
                let checked = Python::try_attach(|py| {
                    let text = text.as_deref().map(|text| PyBytes::new(py, text));
                    check.call1(py, (text,)).map(drop).map_err(|e| {
                        let error = error::read(py, &e);
                        refused = Some(e);
                        error
                    })
                });
                checked.unwrap_or_else(|| {
                    Err(Error::new(ErrorKind::Storage, "the interpreter has ended"))
                })
            };
            Ok(engine.take_handover_unless(session, timeout, give_up, look))
        })?;
        match taken {
            Ok(taken) => show(py, &taken),
            Err(error) => Err(raise(py, raised.or(refused), &error)),
        }
    }
}
