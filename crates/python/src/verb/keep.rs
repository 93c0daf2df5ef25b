//! What stays and what goes: names, tags, pins, the trash, cleanup, policies.

use std::collections::BTreeSet;

use dalsegno::retention::Policy;
use dalsegno::{Amendment, Cleanup, GRACE, Purge};
use jiff::SignedDuration;
use pyo3::prelude::*;

use crate::given::{Asked, Span};
use crate::handle::Handle;
use crate::show::show;

fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

impl Handle {
    fn amend<'py>(
        &self,
        py: Python<'py>,
        reference: &str,
        amendment: &Amendment,
    ) -> PyResult<Bound<'py, PyAny>> {
        let snapshot = self.run(py, |engine| engine.amend(reference, amendment))?;
        show(py, &snapshot)
    }
}

#[pymethods]
impl Handle {
    fn rename<'py>(
        &self,
        py: Python<'py>,
        reference: &str,
        name: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.amend(py, reference, &Amendment::Name(name))
    }

    fn tag<'py>(
        &self,
        py: Python<'py>,
        reference: &str,
        tags: Vec<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.amend(py, reference, &Amendment::Tag(tags))
    }

    fn untag<'py>(
        &self,
        py: Python<'py>,
        reference: &str,
        tags: Vec<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.amend(py, reference, &Amendment::Untag(tags))
    }

    fn pin<'py>(
        &self,
        py: Python<'py>,
        reference: &str,
        pinned: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.amend(py, reference, &Amendment::Pin(pinned))
    }

    fn delete<'py>(
        &self,
        py: Python<'py>,
        references: Vec<String>,
        grace: Option<Span>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let grace = Span::read_if(grace, py)?.unwrap_or(GRACE);
        let deleted = self.run(py, |engine| {
            let references = borrowed(&references);
            if dry_run {
                engine.delete_plan(&references)
            } else {
                engine.delete(&references, grace)
            }
        })?;
        show(py, &deleted)
    }

    fn undelete<'py>(
        &self,
        py: Python<'py>,
        references: Vec<String>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let back = self.run(py, |engine| {
            let references = borrowed(&references);
            if dry_run {
                engine.undelete_plan(&references)
            } else {
                engine.undelete(&references)
            }
        })?;
        show(py, &back)
    }

    /// Empties the trash: of what has expired, of these snapshots, or of everything.
    #[pyo3(signature = (ids, everything, session, dry_run))]
    fn purge<'py>(
        &self,
        py: Python<'py>,
        ids: Option<Vec<String>>,
        everything: bool,
        session: Option<String>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let purged = self.run(py, |engine| {
            let purge = match ids {
                Some(ids) => {
                    let ids = ids.iter().map(|id| id.parse());
                    Purge::These(ids.collect::<dalsegno::Result<BTreeSet<_>>>()?)
                }
                None if everything => Purge::All(session),
                None => Purge::Expired,
            };
            if dry_run {
                engine.purge_plan(&purge)
            } else {
                engine.purge(&purge, &mut |_| {})
            }
        })?;
        show(py, &purged)
    }

    #[pyo3(signature = (session, rules, grace, purge, dry_run))]
    fn cleanup<'py>(
        &self,
        py: Python<'py>,
        session: Option<String>,
        rules: Option<Asked>,
        grace: Option<Span>,
        purge: bool,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let cleanup = Cleanup {
            session,
            rules: rules.map(|asked| asked.rules(py)).transpose()?,
            grace: Span::read_if(grace, py)?,
            purge,
        };
        let (plan, cleaned) = self.run(py, |engine| {
            let plan = engine.cleanup_plan(&cleanup)?;
            let cleaned = if dry_run {
                None
            } else {
                Some(engine.cleanup(&plan, &mut |_| {})?)
            };
            Ok((plan, cleaned))
        })?;
        match cleaned {
            Some(cleaned) => show(py, &cleaned),
            None => show(py, &plan),
        }
    }

    fn set_policy(
        &self,
        py: Python<'_>,
        pattern: String,
        rules: Asked,
        grace: Option<Span>,
    ) -> PyResult<()> {
        let mut policy = Policy::new(pattern, rules.rules(py)?);
        let grace: Option<SignedDuration> = Span::read_if(grace, py)?;
        if let Some(grace) = grace {
            policy = policy.grace(grace);
        }
        self.run(py, |engine| engine.set_policy(&policy))
    }

    fn remove_policy(&self, py: Python<'_>, pattern: &str) -> PyResult<()> {
        self.run(py, |engine| engine.remove_policy(pattern))
    }
}
