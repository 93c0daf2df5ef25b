//! Verbs that put a state back: each is planned, and then done unless only the plan was asked for.

use std::path::PathBuf;

use dalsegno::{Back, Engine, Plan, Report, Restore, Result};
use pyo3::prelude::*;

use crate::given::Time;
use crate::handle::Handle;
use crate::show::show;

/// A plan, or what was done.
enum Outcome {
    Planned(Box<Plan>),
    Done(Box<Report>),
}

impl Handle {
    fn carry_out<'py>(
        &self,
        py: Python<'py>,
        dry_run: bool,
        prepare: impl for<'a> FnOnce(&'a Engine) -> Result<Restore<'a>> + Send,
    ) -> PyResult<Bound<'py, PyAny>> {
        let outcome = self.run(py, |engine| {
            let restore = prepare(engine)?;
            if dry_run {
                restore.plan().map(|plan| Outcome::Planned(Box::new(plan)))
            } else {
                restore
                    .apply()
                    .map(|report| Outcome::Done(Box::new(report)))
            }
        })?;
        match outcome {
            Outcome::Planned(plan) => show(py, &plan),
            Outcome::Done(report) => show(py, &report),
        }
    }
}

#[pymethods]
impl Handle {
    #[allow(clippy::too_many_arguments)]
    fn put_back<'py>(
        &self,
        py: Python<'py>,
        reference: &str,
        components: Vec<String>,
        path: Option<PathBuf>,
        behalf: Option<String>,
        migrate: bool,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.carry_out(py, dry_run, |engine| {
            let mut restore = engine.put_back(reference);
            if migrate {
                restore = restore.migrate();
            }
            if let Some(who) = behalf {
                restore = restore.behalf(who);
            }
            for component in components {
                restore = restore.component(component);
            }
            Ok(match path {
                Some(path) => restore.to_file(path),
                None => restore,
            })
        })
    }

    #[pyo3(signature = (session, *, steps, to, turn, at, path, dry_run))]
    #[allow(clippy::too_many_arguments)]
    fn rollback<'py>(
        &self,
        py: Python<'py>,
        session: &str,
        steps: Option<u32>,
        to: Option<String>,
        turn: Option<i64>,
        at: Option<Time>,
        path: Option<PathBuf>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let at = Time::read_if(at, py)?;
        let back = match (to, turn, at) {
            (Some(reference), ..) => Back::To(reference),
            (_, Some(turn), _) => Back::To(format!("{session}@turn:{turn}")),
            (.., Some(time)) => Back::To(format!("{session}@{time}")),
            _ => Back::Steps(steps.unwrap_or(1)),
        };
        self.carry_out(py, dry_run, |engine| {
            Ok(match path {
                Some(path) => engine.rollback_live(session, &back)?.to_file(path),
                None => engine.rollback(session, &back)?,
            })
        })
    }

    fn undo<'py>(
        &self,
        py: Python<'py>,
        session: &str,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.carry_out(py, dry_run, |engine| engine.undo(session))
    }

    fn undo_skip(&self, py: Python<'_>, session: &str, dry_run: bool) -> PyResult<String> {
        let skipped = self.run(py, |engine| match dry_run {
            true => engine.undo_skip_plan(session),
            false => engine.undo_skip(session),
        })?;
        Ok(skipped.to_string())
    }

    fn redo<'py>(
        &self,
        py: Python<'py>,
        session: &str,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.carry_out(py, dry_run, |engine| engine.redo(session))
    }

    fn fork<'py>(
        &self,
        py: Python<'py>,
        reference: &str,
        name: &str,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let snapshot = self.run(py, |engine| {
            if dry_run {
                engine.fork_plan(reference, name)
            } else {
                engine.fork(reference, name)
            }
        })?;
        show(py, &snapshot)
    }
}
