//! What was done, by whom.

use dalsegno::{Action, AuditHead, AuditOutcome, AuditQuery};
use pyo3::prelude::*;

use crate::error;
use crate::given::Time;
use crate::handle::Handle;
use crate::show::show;

#[pymethods]
impl Handle {
    fn audit_on(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, dalsegno::Engine::audit_on)
    }

    fn audit_off(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, dalsegno::Engine::audit_off)
    }

    fn is_audited(&self, py: Python<'_>) -> PyResult<bool> {
        self.run(py, dalsegno::Engine::is_audited)
    }

    #[pyo3(signature = (*, session, who, actions, outcome, since, until, limit))]
    #[allow(clippy::too_many_arguments)]
    fn audit_log<'py>(
        &self,
        py: Python<'py>,
        session: Option<String>,
        who: Option<String>,
        actions: Vec<String>,
        outcome: Option<&str>,
        since: Option<Time>,
        until: Option<Time>,
        limit: Option<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let actions = actions.iter().map(|word| word.parse());
        let actions: dalsegno::Result<Vec<Action>> = actions.collect();
        let outcome: dalsegno::Result<Option<AuditOutcome>> =
            outcome.map(|word| word.parse()).transpose();
        let query = AuditQuery {
            session,
            who,
            actions: actions.map_err(|e| error::raise(py, &e))?,
            outcome: outcome.map_err(|e| error::raise(py, &e))?,
            since: Time::read_if(since, py)?,
            until: Time::read_if(until, py)?,
            limit,
        };
        let page = self.run(py, |engine| engine.audit_log(&query))?;
        show(py, &page)
    }

    fn audit_head(&self, py: Python<'_>) -> PyResult<String> {
        let head = self.run(py, dalsegno::Engine::audit_head)?;
        Ok(head.to_string())
    }

    fn audit_check<'py>(&self, py: Python<'py>, head: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        let head: dalsegno::Result<Option<AuditHead>> = head.map(|text| text.parse()).transpose();
        let head = head.map_err(|e| error::raise(py, &e))?;
        let check = self.run(py, |engine| engine.audit_check(head.as_ref()))?;
        show(py, &check)
    }
}
