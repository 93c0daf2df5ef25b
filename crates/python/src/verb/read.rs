//! Verbs that only read.

use dalsegno::{Query, Sort, StatsQuery};
use jiff::tz::TimeZone;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error;
use crate::given::{Time, kinds};
use crate::handle::Handle;
use crate::show::show;

/// JSON text, indented for people.
#[pyfunction]
pub(crate) fn pretty<'py>(py: Python<'py>, text: &[u8]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &dalsegno::pretty(text))
}

#[pymethods]
impl Handle {
    fn sessions(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.run(py, dalsegno::Engine::sessions)
    }

    #[pyo3(signature = (session, *, since, until, kind, tags, name, sort, reverse, limit, cursor))]
    #[allow(clippy::too_many_arguments)]
    fn page<'py>(
        &self,
        py: Python<'py>,
        session: Option<String>,
        since: Option<Time>,
        until: Option<Time>,
        kind: Vec<String>,
        tags: Vec<String>,
        name: Option<String>,
        sort: &str,
        reverse: bool,
        limit: usize,
        cursor: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let sort = match sort {
            "commit" => Sort::Commit,
            "created" => Sort::Created,
            "size" => Sort::Size,
            "name" => Sort::Name,
            other => {
                let message = format!(
                    "'{other}' is no order of a listing; the orders are commit, created, size, name"
                );
                return Err(error::invalid(py, &message));
            }
        };
        if limit == 0 {
            return Err(error::invalid(py, "limit is a number from 1 on"));
        }
        let query = Query {
            session,
            since: Time::read_if(since, py)?,
            until: Time::read_if(until, py)?,
            kinds: kinds(py, &kind)?,
            tags,
            name,
            sort,
            reverse,
            limit,
            cursor,
        };
        let page = self.run(py, |engine| engine.list(&query))?;
        show(py, &page)
    }

    fn info<'py>(&self, py: Python<'py>, reference: &str) -> PyResult<Bound<'py, PyAny>> {
        let snapshot = self.run(py, |engine| engine.info(reference))?;
        show(py, &snapshot)
    }

    /// The saved bytes, of the whole state or of a component.
    fn text<'py>(
        &self,
        py: Python<'py>,
        reference: &str,
        component: Option<&str>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let text = self.run(py, |engine| {
            let restored = engine.restore(reference)?;
            match component {
                Some(name) => Ok(restored.component(name)?.to_vec()),
                None => Ok(restored.into_text()),
            }
        })?;
        Ok(PyBytes::new(py, &text))
    }

    fn components(&self, py: Python<'_>, reference: &str) -> PyResult<Vec<String>> {
        self.run(py, |engine| engine.restore(reference)?.components())
    }

    fn log<'py>(
        &self,
        py: Python<'py>,
        session: &str,
        limit: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let log = self.run(py, |engine| engine.log(session, limit))?;
        show(py, &log)
    }

    fn diff<'py>(&self, py: Python<'py>, from: &str, to: &str) -> PyResult<Bound<'py, PyAny>> {
        let diff = self.run(py, |engine| engine.diff(from, to))?;
        show(py, &diff)
    }

    fn diff_lines(
        &self,
        py: Python<'_>,
        from: &str,
        to: &str,
        each: usize,
    ) -> PyResult<Vec<String>> {
        self.run(py, |engine| {
            let diff = engine.diff(from, to)?;
            Ok(diff.lines(each).iter().map(ToString::to_string).collect())
        })
    }

    fn verify<'py>(&self, py: Python<'py>, session: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        let found = self.run(py, |engine| engine.verify(session))?;
        show(py, &found)
    }

    fn stats<'py>(
        &self,
        py: Python<'py>,
        session: Option<String>,
        rebuild: Option<usize>,
        zone: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut query = match session {
            Some(session) => StatsQuery::session(session),
            None => StatsQuery::default(),
        };
        if let Some(states) = rebuild {
            query.rebuild = states;
        }
        if let Some(name) = zone {
            query.zone = TimeZone::get(name).map_err(|e| {
                let message = format!("'{name}' is no time zone, such as Europe/Berlin: {e}");
                error::invalid(py, &message)
            })?;
        }
        let stats = self.run(py, |engine| engine.stats_with(&query, &mut |_| {}))?;
        show(py, &stats)
    }

    fn doctor<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let diagnosis = self.run(py, dalsegno::Engine::doctor)?;
        show(py, &diagnosis)
    }

    fn trash<'py>(&self, py: Python<'py>, session: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        let trash = self.run(py, |engine| engine.trash(session))?;
        show(py, &trash)
    }

    fn policies<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let policies = self.run(py, dalsegno::Engine::policies)?;
        show(py, &policies)
    }
}
