//! A command that makes one version of a schema the next.

use std::path::{Path, PathBuf};
use std::time::Duration;

use dalsegno::{Error, ErrorKind, Migrations, Result};

use crate::command;
use crate::hook::as_people_read_it;
use crate::origin::Origin;
use crate::sessions::Sessions;
use crate::units;
use crate::values::MigrationValues;

/// So long a migration of one state may take, where nothing else is said.
pub const MIGRATION_TIMEOUT: Duration = Duration::from_secs(30);

/// A command that is given a state of one schema version as JSON, and prints it in the shape of the next.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Migration {
    /// The schema version that it starts from; none: snapshots that carry none.
    pub from: Option<String>,
    /// The version that it leads to.
    pub to: String,
    /// Of which sessions; none: of all.
    pub sessions: Option<Sessions>,
    /// Runs a program, without a shell: its name or path, then its arguments.
    pub command: Vec<String>,
    /// How long it may take for a state.
    #[serde(serialize_with = "as_people_read_it")]
    pub timeout: Duration,
    /// The folder of the file that says so, symbolic links followed: the command runs in it.
    pub folder: PathBuf,
    /// Where it came from.
    pub origin: Origin,
}

impl Migration {
    pub(crate) fn new(values: &MigrationValues, folder: &Path, origin: Origin) -> Result<Self> {
        command::check(&values.command)?;
        let timeout = values
            .timeout
            .map_or(MIGRATION_TIMEOUT, |t| units::std(t.0));
        if timeout.is_zero() {
            let message = "timeout is no time at all";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        Ok(Self {
            from: values.from.clone(),
            to: values.to.clone(),
            sessions: values.sessions.as_ref().map(Sessions::new).transpose()?,
            command: values.command.clone(),
            timeout,
            folder: folder.to_owned(),
            origin,
        })
    }

    /// The program of the command: in its folder where it is named by a relative path, else by the search path.
    #[must_use]
    pub fn program(&self) -> Option<PathBuf> {
        command::program(&self.command, &self.folder)
    }

    /// What it does, in a few words.
    #[must_use]
    pub fn title(&self) -> String {
        format!("the migration {}", self.command.join(" "))
    }

    /// The engine's step, which is done by `run`.
    #[must_use]
    pub fn step<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
        &self,
        run: impl Fn(&Self, &[u8]) -> Result<Vec<u8>, E> + Send + Sync + 'static,
    ) -> dalsegno::Migration {
        let own = self.clone();
        let from = self.from.as_deref();
        let step = dalsegno::Migration::of_text(from, &self.to, move |text| run(&own, text));
        match &self.sessions {
            Some(sessions) => step.sessions(sessions.pattern()),
            None => step,
        }
    }
}

/// Checks that all of them lead to newest versions.
///
/// # Errors
/// As [`Migrations::new`].
pub(crate) fn check(all: &[Migration]) -> Result<()> {
    let steps = all.iter();
    let steps = steps.map(|it| it.step(|_, text| Ok::<_, String>(text.to_vec())));
    Migrations::new(steps.collect()).map(drop)
}
