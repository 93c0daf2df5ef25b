//! Chat session files, for `dalsegno.hermes`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use dalsegno::{Error, ErrorKind};
use dalsegno_hermes as hermes;
use dalsegno_hermes::{Count, Recovery, Saved, Saving, Source, Status};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict};

use crate::error;

/// A function of Python's that counts, or whatever else is called back; what it raised is raised again at the end.
struct Callback {
    function: Option<Py<PyAny>>,
    raised: Option<PyErr>,
    /// It was no error but the end of the program, which stops everything.
    ended: bool,
}

impl Callback {
    fn of(function: Option<Py<PyAny>>) -> Self {
        Self {
            function,
            raised: None,
            ended: false,
        }
    }

    fn count(&mut self, path: &Path) -> dalsegno::Result<Count> {
        if self.ended {
            return Err(Error::new(ErrorKind::InvalidInput, "the program is ending"));
        }
        let answer = Python::attach(|py| match &self.function {
            Some(function) => function.call1(py, (path,))?.extract::<i64>(py),
            None => Ok(hermes::count(path).to_i64()),
        });
        answer.map(Count::from).map_err(|raised| {
            let told = Python::attach(|py| {
                self.ended = !raised.is_instance_of::<PyException>(py);
                told(py, &raised)
            });
            self.raised = Some(raised);
            Error::new(ErrorKind::InvalidInput, told)
        })
    }
}

/// An exception in a line, as `TypeError: no such thing`.
fn told(py: Python<'_>, raised: &PyErr) -> String {
    let class = raised.get_type(py).name();
    let class = class.map_or_else(|_| "exception".to_owned(), |name| name.to_string());
    format!("{class}: {}", raised.value(py))
}

/// Runs `work` without the interpreter's lock.
fn run<T: Send>(
    py: Python<'_>,
    callback: &mut Callback,
    work: impl FnOnce(&mut Callback) -> dalsegno::Result<T> + Send,
) -> PyResult<T> {
    let done = py.detach(|| catch_unwind(AssertUnwindSafe(|| work(callback))));
    match (done, callback.raised.take()) {
        (Ok(Ok(answer)), _) => Ok(answer),
        (_, Some(raised)) => Err(raised),
        (Ok(Err(e)), None) => Err(error::raise(py, &e)),
        (Err(_), None) => Err(error::mistake(py)),
    }
}

#[pyfunction]
pub(crate) fn hermes_count(py: Python<'_>, path: PathBuf) -> i64 {
    py.detach(|| hermes::count(&path).to_i64())
}

#[pyfunction]
pub(crate) fn hermes_inspect<'py>(
    py: Python<'py>,
    path: PathBuf,
    counter: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let own = counter.is_none();
    let mut callback = Callback::of(counter);
    let status = run(py, &mut callback, |callback| match own {
        true => hermes::inspect(&path),
        false => hermes::inspect_with(&path, &mut |path| callback.count(path)),
    })?;
    shown(py, &status)
}

/// What became of one: how it is shown, where what stood there is kept, and how many messages it has now.
type Recovered<'py> = (Bound<'py, PyDict>, Option<PathBuf>, i64);

#[pyfunction]
pub(crate) fn hermes_recover(
    py: Python<'_>,
    path: PathBuf,
    counter: Option<Py<PyAny>>,
) -> PyResult<Recovered<'_>> {
    let own = counter.is_none();
    let mut callback = Callback::of(counter);
    let recovery = run(py, &mut callback, |callback| match own {
        true => hermes::recover(&path),
        false => hermes::recover_with(&path, &mut |path| callback.count(path)),
    })?;
    recovered(py, &recovery)
}

/// How many were looked at; what became of those that were restored; and which were left although their backup has
/// more, and why.
type Scanned<'py> = (u64, Vec<Recovered<'py>>, Vec<(PathBuf, String)>);

#[pyfunction]
pub(crate) fn hermes_recover_all(
    py: Python<'_>,
    folder: PathBuf,
    counter: Option<Py<PyAny>>,
    dry_run: bool,
) -> PyResult<Scanned<'_>> {
    let own = counter.is_none();
    let mut callback = Callback::of(counter);
    let scan = run(py, &mut callback, |callback| {
        let scan = match (dry_run, own) {
            (true, _) => hermes::preview(&folder),
            (false, true) => hermes::recover_all(&folder),
            (false, false) => hermes::recover_all_with(&folder, &mut |path| callback.count(path)),
        };
        // One session that a counter could not count does not end the scan.
        if callback.ended {
            return Err(Error::new(ErrorKind::InvalidInput, "the program is ending"));
        }
        callback.raised = None;
        scan
    })?;
    let details = scan.details.iter().map(|it| recovered(py, it));
    let skipped = scan.skipped.into_iter();
    let skipped = skipped.map(|skipped| (skipped.path, skipped.error.to_string()));
    Ok((
        scan.scanned,
        details.collect::<PyResult<_>>()?,
        skipped.collect(),
    ))
}

#[pyfunction]
pub(crate) fn hermes_save<'py>(
    py: Python<'py>,
    path: PathBuf,
    text: PyBackedBytes,
    intent: Option<String>,
) -> PyResult<Bound<'py, PyDict>> {
    let mut callback = Callback::of(None);
    let saving = saving(intent);
    let saved = run(py, &mut callback, |_| saving.save(&path, &text))?;
    said(py, &saved)
}

/// `change` makes the new text from the text that is there, or answers None.
#[pyfunction]
pub(crate) fn hermes_update<'py>(
    py: Python<'py>,
    path: PathBuf,
    change: Py<PyAny>,
    intent: Option<String>,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    let mut callback = Callback::of(Some(change));
    let saving = saving(intent);
    let saved = run(py, &mut callback, |callback| {
        saving.update(&path, |before| {
            let answer = Python::attach(|py| {
                let before = before.map(|text| PyBytes::new(py, text));
                let change = callback.function.as_ref().map(|change| change.bind(py));
                let answer = change.map(|change| change.call1((before,))?.extract());
                answer.transpose().map(Option::flatten)
            });
            answer.map_err(|raised: PyErr| {
                callback.raised = Some(raised);
                Error::new(ErrorKind::InvalidInput, "the change was given up")
            })
        })
    })?;
    saved.map(|saved| said(py, &saved)).transpose()
}

#[pyfunction]
pub(crate) fn hermes_delete(py: Python<'_>, path: PathBuf) -> PyResult<bool> {
    let mut callback = Callback::of(None);
    run(py, &mut callback, |_| Saving::new().delete(&path))
}

/// The kept states of a session, the newest first.
#[pyfunction]
pub(crate) fn hermes_generations(
    py: Python<'_>,
    path: PathBuf,
) -> PyResult<Vec<Bound<'_, PyDict>>> {
    let mut callback = Callback::of(None);
    let kept = run(py, &mut callback, |_| hermes::generations(&path))?;
    let shown = kept.into_iter().map(|generation| {
        let shown = PyDict::new(py);
        shown.set_item("messages", hermes::count(&generation.path).to_i64())?;
        shown.set_item("path", generation.path)?;
        shown.set_item("at", generation.at)?;
        shown.set_item("intent", generation.intent)?;
        Ok(shown)
    });
    shown.collect()
}

fn saving(intent: Option<String>) -> Saving {
    match intent {
        Some(words) => Saving::new().intent(words),
        None => Saving::new(),
    }
}

fn shown<'py>(py: Python<'py>, status: &Status) -> PyResult<Bound<'py, PyDict>> {
    let shown = PyDict::new(py);
    shown.set_item("session_id", &status.session_id)?;
    shown.set_item("live_messages", status.live_messages.to_i64())?;
    shown.set_item("bak_messages", status.bak_messages.to_i64())?;
    shown.set_item("recommend", status.recommend.as_str())?;
    Ok(shown)
}

fn recovered<'py>(py: Python<'py>, recovery: &Recovery) -> PyResult<Recovered<'py>> {
    let shown = shown(py, &recovery.status)?;
    shown.set_item("restored", recovery.restored)?;
    if let Some(error) = &recovery.error {
        shown.set_item("error", error.to_string())?;
    }
    let now = match &recovery.from {
        Some(Source::Copy { messages, .. } | Source::Merge { messages }) => *messages,
        _ => recovery.status.bak_messages,
    };
    Ok((shown, recovery.displaced.clone(), now.to_i64()))
}

fn said<'py>(py: Python<'py>, saved: &Saved) -> PyResult<Bound<'py, PyDict>> {
    let said = PyDict::new(py);
    said.set_item("messages", saved.messages)?;
    said.set_item("before", saved.before.to_i64())?;
    said.set_item("backup", &saved.backup)?;
    said.set_item("displaced", &saved.displaced)?;
    Ok(said)
}
