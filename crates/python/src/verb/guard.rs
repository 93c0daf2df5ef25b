//! Lists that lose no items without a word.

use dalsegno::guard::{GuardPolicy, Returned};
use dalsegno::{GuardReport, Plan, Report};
use pyo3::prelude::*;
use serde::Serialize;

use crate::error;
use crate::given::Span;
use crate::handle::Handle;
use crate::show::show;

/// What comes back, and how.
#[derive(Serialize)]
struct Outcome {
    returned: Vec<Returned>,
    status: GuardReport,
    plan: Option<Plan>,
    report: Option<Report>,
}

#[pymethods]
impl Handle {
    /// `guard` is JSON text.
    fn set_guard(&self, py: Python<'_>, guard: &str, max_age: Option<Span>) -> PyResult<()> {
        let mut guard: GuardPolicy = serde_json::from_str(guard)
            .map_err(|e| error::invalid(py, &format!("the guard makes no sense: {e}")))?;
        if let Some(age) = Span::read_if(max_age, py)? {
            guard.max_age = age;
        }
        self.run(py, |engine| engine.set_guard(&guard))
    }

    fn guards<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let guards = self.run(py, dalsegno::Engine::guards)?;
        show(py, &guards)
    }

    fn remove_guard(&self, py: Python<'_>, pattern: &str) -> PyResult<()> {
        self.run(py, |engine| engine.remove_guard(pattern))
    }

    fn guarded_sessions(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.run(py, dalsegno::Engine::guarded_sessions)
    }

    fn guard_status<'py>(&self, py: Python<'py>, session: &str) -> PyResult<Bound<'py, PyAny>> {
        let status = self.run(py, |engine| engine.guard_status(session))?;
        show(py, &status)
    }

    fn guard_restore<'py>(
        &self,
        py: Python<'py>,
        session: &str,
        from_: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let outcome = self.run(py, |engine| {
            let restore = engine.guard_restore(session, from_)?;
            let (returned, status) = (restore.returned().to_vec(), restore.report().clone());
            let plan = restore.plan()?;
            let report = if dry_run { None } else { restore.apply()? };
            Ok(Outcome {
                returned,
                status,
                plan,
                report,
            })
        })?;
        show(py, &outcome)
    }
}
