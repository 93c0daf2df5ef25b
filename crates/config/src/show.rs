//! A configuration, line by line, as `config show` prints it.

use dalsegno::display_duration;

use crate::hook::Action;
use crate::key::KeySource;
use crate::load::Loaded;
use crate::origin::{Origin, Setting};
use crate::token::TokenSource;

/// A value, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Shown {
    /// Its key, such as `watch.settle`.
    pub key: String,
    /// What holds, as it is written; none: nothing is said.
    pub value: Option<String>,
    /// Where it came from.
    pub origin: Origin,
}

impl Loaded {
    /// Everything that holds, guards, hooks and migrations included; what was left out is not among it.
    #[must_use]
    pub fn shown(&self) -> Vec<Shown> {
        let config = &self.config;
        let optional = |key: &str, setting: Option<Setting<String>>| match setting {
            Some(Setting { value, origin }) => shown(key, value, &origin),
            None => Shown {
                key: key.to_owned(),
                value: None,
                origin: Origin::Default,
            },
        };
        let store = config.store.as_ref().map(|store| Setting {
            value: store.value.display().to_string(),
            origin: store.origin.clone(),
        });
        let (autosave, watch) = (&config.autosave, &config.watch);
        let time = |key: &str, setting: &Setting<jiff::SignedDuration>| {
            shown(key, display_duration(setting.value), &setting.origin)
        };
        let list = |key: &str, setting: &Setting<Vec<String>>| {
            shown(key, setting.value.join(", "), &setting.origin)
        };
        let mut all = vec![
            optional("store", store),
            optional("actor", config.actor.clone()),
            key(config.key.as_ref()),
            token(config.token.as_ref()),
            time("autosave.interval", &autosave.interval),
            shown(
                "autosave.jitter",
                // As it was written: 0.07 is not quite seven hundredths.
                format!("{}%", (autosave.jitter.value * 1e6).round() / 1e4),
                &autosave.jitter.origin,
            ),
            shown(
                "autosave.min_change",
                bytesize::ByteSize(autosave.min_change.value).to_string(),
                &autosave.min_change.origin,
            ),
            time("watch.settle", &watch.settle),
            list("watch.include", &watch.include),
            list("watch.exclude", &watch.exclude),
        ];
        for guard in &config.guards {
            let value = &guard.value;
            let lists: Vec<_> = value.lists.iter().map(|list| list.list.as_str()).collect();
            let lists = if lists.is_empty() {
                "nothing".to_owned()
            } else {
                lists.join(", ")
            };
            let (generations, max_age) = (value.generations, display_duration(value.max_age));
            all.push(shown(
                &format!("guard.\"{}\"", value.sessions),
                format!("{lists}: {generations} generations, {max_age}"),
                &guard.origin,
            ));
        }
        for hook in &config.hooks {
            let key = match &hook.action {
                Action::Command(_) => "hook.command",
                Action::Webhook { .. } => "hook.webhook",
            };
            let on = hook.events.join(", ");
            let of = hook.sessions.as_ref().map(|s| format!(" of {s}"));
            let value = format!("{on}{}: {}", of.unwrap_or_default(), hook.title());
            all.push(shown(key, value, &hook.origin));
        }
        for migration in &config.migrations {
            let from = migration.from.as_deref().unwrap_or("no version");
            let of = migration.sessions.as_ref().map(|s| format!(" of {s}"));
            let (to, of) = (&migration.to, of.unwrap_or_default());
            let value = format!("from {from} to {to}{of}: {}", migration.title());
            all.push(shown("migration.command", value, &migration.origin));
        }
        all
    }
}

fn key(key: Option<&Setting<KeySource>>) -> Shown {
    let Some(Setting { value, origin }) = key else {
        return Shown {
            key: "key".to_owned(),
            value: None,
            origin: Origin::Default,
        };
    };
    match value {
        KeySource::File(path) => shown("key.file", path.display().to_string(), origin),
        KeySource::Variable => shown("key", "not shown".to_owned(), origin),
        KeySource::Command { line, .. } => shown("key.command", line.clone(), origin),
    }
}

fn token(token: Option<&Setting<TokenSource>>) -> Shown {
    let Some(Setting { value, origin }) = token else {
        return Shown {
            key: "access.token".to_owned(),
            value: None,
            origin: Origin::Default,
        };
    };
    match value {
        TokenSource::File(path) => shown("access.token_file", path.display().to_string(), origin),
        TokenSource::Variable => shown("access.token", "not shown".to_owned(), origin),
    }
}

fn shown(key: &str, value: String, origin: &Origin) -> Shown {
    Shown {
        key: key.to_owned(),
        value: Some(value),
        origin: origin.clone(),
    }
}
