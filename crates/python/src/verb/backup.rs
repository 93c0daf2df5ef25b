//! Backups: made of a store, proved, restored and tried.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use dalsegno::{BackupHealth, Engine, MakeBackup, Options, RestoreBackup, RestoreSession};
use pyo3::prelude::*;
use serde::Serialize;

use crate::given::Time;
use crate::handle::Handle;
use crate::show::show;
use crate::verb::transfer::not_the_store;
use crate::watched::Watched;
use crate::{error, fork, place};

#[pymethods]
impl Handle {
    #[pyo3(signature = (path, *, incremental, differential, parity, progress))]
    fn back_up<'py>(
        &self,
        py: Python<'py>,
        path: PathBuf,
        incremental: bool,
        differential: Option<String>,
        parity: i64,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let how = match (incremental, differential) {
            (false, None) => MakeBackup::full(&path),
            (true, None) => MakeBackup::incremental(&path),
            (false, Some(base)) => MakeBackup::differential(&path, base),
            (true, Some(_)) => {
                return Err(error::invalid(
                    py,
                    "a backup is incremental or differential, not both",
                ));
            }
        };
        let Ok(percent) = u8::try_from(parity) else {
            let message = format!("parity of {parity} percent cannot be; give 0 to 50");
            return Err(error::invalid(py, &message));
        };
        let how = how.parity(percent);
        let made = self.watched(py, progress, |engine, watched| {
            not_the_store(engine, &path)?;
            engine.back_up(&how, &mut |reached| watched.tell(reached))
        })?;
        show(py, &made)
    }

    #[pyo3(signature = (from_, session, *, as_name, at, key, key_file, dry_run, progress))]
    #[allow(clippy::too_many_arguments)]
    fn restore_session<'py>(
        &self,
        py: Python<'py>,
        from_: PathBuf,
        session: &str,
        as_name: Option<&str>,
        at: Option<Time>,
        key: Option<&str>,
        key_file: Option<PathBuf>,
        dry_run: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut how = RestoreSession::of(&from_, session);
        if let Some(name) = as_name {
            how = how.named(name);
        }
        if let Some(at) = Time::read_if(at, py)? {
            how = how.at(at);
        }
        let secret = place::secret(key, key_file.as_deref()).map_err(|e| error::raise(py, &e))?;
        if let Some(secret) = secret {
            how = how.secret(secret);
        }
        if dry_run {
            let plan = self.watched(py, progress, |engine, watched| {
                not_the_store(engine, &from_)?;
                engine.restore_session_plan(&how, &mut |reached| watched.tell(reached))
            })?;
            return show(py, &plan);
        }
        let restored = self.watched(py, progress, |engine, watched| {
            not_the_store(engine, &from_)?;
            engine.restore_session(&how, &mut |reached| watched.tell(reached))
        })?;
        show(py, &restored)
    }

    fn known_backups<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let known = self.run(py, Engine::known_backups)?;
        show(py, &known)
    }
}

impl Handle {
    /// Long work on the engine, which hears Ctrl-C.
    fn watched<T: Send>(
        &self,
        py: Python<'_>,
        progress: Option<Py<PyAny>>,
        work: impl FnOnce(&Engine, &mut Watched) -> dalsegno::Result<T> + Send,
    ) -> PyResult<T> {
        let mut watched = Watched::begin(progress);
        let done = self
            .kept
            .call(py, |engine| Ok(work(&engine, &mut watched)))?;
        watched.done(py, done)
    }
}

#[pyfunction]
pub(crate) fn list_backups(py: Python<'_>, path: PathBuf) -> PyResult<Py<PyAny>> {
    alone(py, &path, None, |_| dalsegno::list_backups(&path))
}

/// What was proved of backups, as the command says it.
#[derive(Serialize)]
struct Checked {
    whole: bool,
    archives: Vec<BackupHealth>,
}

#[pyfunction]
#[pyo3(signature = (path, *, key, key_file, progress))]
pub(crate) fn verify_backup(
    py: Python<'_>,
    path: PathBuf,
    key: Option<&str>,
    key_file: Option<PathBuf>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Py<PyAny>> {
    let secret = place::secret(key, key_file.as_deref()).map_err(|e| error::raise(py, &e))?;
    alone(py, &path, progress, |watched| {
        let tell = &mut |reached| watched.tell(reached);
        let found = dalsegno::verify_backup(&path, secret.as_ref(), tell)?;
        Ok(Checked {
            whole: found.is_whole(),
            archives: found.archives,
        })
    })
}

#[pyfunction]
#[pyo3(signature = (from_, into, *, at, salvage, key, key_file, token, token_file, program, dry_run, progress))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn restore_backup(
    py: Python<'_>,
    from_: PathBuf,
    into: PathBuf,
    at: Option<Time>,
    salvage: bool,
    key: Option<&str>,
    key_file: Option<PathBuf>,
    token: Option<&str>,
    token_file: Option<PathBuf>,
    program: String,
    dry_run: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Py<PyAny>> {
    let mut how = RestoreBackup::of(&from_);
    if let Some(at) = Time::read_if(at, py)? {
        how = how.at(at);
    }
    if salvage {
        how = how.salvage();
    }
    let (key_file, token_file) = (key_file.as_deref(), token_file.as_deref());
    let options = Options::default().program(program);
    let options = place::admitted(options, key, key_file, token, token_file)
        .map_err(|e| error::raise(py, &e))?;
    if dry_run {
        return alone(py, &from_, progress, |watched| {
            options.restore_backup_plan(&how, &into, &mut |reached| watched.tell(reached))
        });
    }
    alone(py, &from_, progress, |watched| {
        options.restore_backup(&how, &into, &mut |reached| watched.tell(reached))
    })
}

#[pyfunction]
#[pyo3(signature = (from_, *, scratch, key, key_file, token, token_file, progress))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn drill(
    py: Python<'_>,
    from_: PathBuf,
    scratch: Option<PathBuf>,
    key: Option<&str>,
    key_file: Option<PathBuf>,
    token: Option<&str>,
    token_file: Option<PathBuf>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Py<PyAny>> {
    let (key_file, token_file) = (key_file.as_deref(), token_file.as_deref());
    let options = place::admitted(Options::default(), key, key_file, token, token_file)
        .map_err(|e| error::raise(py, &e))?;
    alone(py, &from_, progress, |watched| {
        options.drill(&from_, scratch.as_deref(), &mut |reached| {
            watched.tell(reached)
        })
    })
}

/// Works on backups, without a store that is open, so that no fork comes between.
fn alone<T: Serialize + Send>(
    py: Python<'_>,
    archives: &Path,
    progress: Option<Py<PyAny>>,
    work: impl FnOnce(&mut Watched) -> dalsegno::Result<T> + Send,
) -> PyResult<Py<PyAny>> {
    let mut watched = Watched::begin(progress);
    fork::enter(py).map_err(|e| error::raise(py, &e))?;
    let stores = fork::engines(py);
    let done = py.detach(|| {
        catch_unwind(AssertUnwindSafe(|| {
            for engine in &stores {
                not_the_store(engine, archives)?;
            }
            drop(stores);
            work(&mut watched)
        }))
    });
    fork::leave(py);
    let done = done.map_err(|_| error::mistake(py))?;
    show(py, &watched.done(py, done)?).map(Bound::unbind)
}
