//! The migrations of the configuration, as the engine takes them.

use dalsegno::{ErrorKind, Migrations};
use dalsegno_config::{Loaded, Role};

use crate::failure::{Failure, Result};
use crate::settings::configuration;

/// Those that may be run.
pub(crate) fn of(loaded: &Loaded) -> Result<Migrations> {
    let steps = loaded.config.migrations.iter().map(|migration| {
        migration.step(|own, state| {
            dalsegno_hooks::migrate(own, state)
                .map_err(|failure| format!("{} ({}) {failure}", own.command.join(" "), own.origin))
        })
    });
    Ok(Migrations::new(steps.collect())?)
}

/// Refuses to go on where there are none, or where some may not be run: the chain would not be the one that is meant.
pub(crate) fn wanted() -> Result<()> {
    let loaded = configuration()?;
    let mut left_out = loaded.left_out.iter();
    if let Some(left_out) = left_out.find(|it| it.role == Role::Migration) {
        return Err(Failure::new(ErrorKind::Denied, left_out.to_string()));
    }
    if loaded.config.migrations.is_empty() {
        return Err(Failure::usage(
            "the configuration has no migrations: add [[migration]] with from, to and command to dalsegno.toml",
        ));
    }
    Ok(())
}
