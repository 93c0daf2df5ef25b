//! Repairing, and building a store anew.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use dalsegno::{Engine, Options, Repair, RepairSource};
use pyo3::prelude::*;

use crate::handle::Handle;
use crate::show::show;
use crate::{error, fork, place};

#[pymethods]
impl Handle {
    fn repair<'py>(
        &self,
        py: Python<'py>,
        sources: Vec<PathBuf>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = self.kept.options();
        let repairs = self.run(py, |engine| {
            let store = engine.path().unwrap_or_default();
            let sources = opened(&options, &sources, &store)?;
            let repair = sources
                .iter()
                .map(|it| &**it)
                .fold(Repair::default(), Repair::from);
            if dry_run {
                engine.repair_plan(&repair)
            } else {
                engine.repair(&repair)
            }
        })?;
        show(py, &repairs)
    }
}

/// What rows are taken from: stores, which are only read, and backups.
pub(crate) fn opened(
    options: &Options,
    sources: &[PathBuf],
    store: &Path,
) -> dalsegno::Result<Vec<RepairSource>> {
    let open = |path: &PathBuf| {
        let options = options.clone();
        options.open_source(path, store, &mut |_| ControlFlow::Continue(()))
    };
    sources.iter().map(open).collect()
}

#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub(crate) fn rebuild(
    py: Python<'_>,
    path: PathBuf,
    sources: Vec<PathBuf>,
    dry_run: bool,
    key: Option<&str>,
    key_file: Option<PathBuf>,
    token: Option<&str>,
    token_file: Option<PathBuf>,
) -> PyResult<Py<PyAny>> {
    let raise = |e| error::raise(py, &e);
    let secret = place::secret(key, key_file.as_deref()).map_err(raise)?;
    let token = place::token(token, token_file.as_deref()).map_err(raise)?;
    let mut options = Options::default();
    if let Some(secret) = secret {
        options = options.secret(secret);
    }
    if let Some(token) = token {
        options = options.token(token);
    }
    // Nobody in this process has the store open, and no fork comes between.
    fork::enter(py).map_err(raise)?;
    let work = || build(options, &path, &sources, dry_run);
    let done = py.detach(|| catch_unwind(AssertUnwindSafe(work)));
    fork::leave(py);
    match done {
        Ok(Ok(rebuilt)) => show(py, &rebuilt).map(Bound::unbind),
        Ok(Err(e)) => Err(error::raise_store(py, &e)),
        Err(_) => Err(error::mistake(py)),
    }
}

fn build(
    options: Options,
    path: &Path,
    sources: &[PathBuf],
    dry_run: bool,
) -> dalsegno::Result<dalsegno::Rebuilt> {
    let sources = opened(&options, sources, path)?;
    let sources: Vec<&Engine> = sources.iter().map(|it| &**it).collect();
    if dry_run {
        options.rebuild_plan(path, &sources)
    } else {
        options.rebuild(path, &sources)
    }
}
