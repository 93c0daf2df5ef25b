//! All steps of a program, as chains: from each version one way to the newest.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::step::Migration;
use crate::error::{Error, Result};
use crate::pattern;
use crate::save::MAX_DETAIL;

/// The migrations of a program: for each session one chain of steps, which leads from every version of its schema to
/// the newest.
///
/// The steps of one pattern are a chain. Where several patterns are for a session, the most specific holds, and only
/// that: as with policies and guards.
#[derive(Debug, Clone, Default)]
pub struct Migrations {
    chains: Arc<[Chain]>,
}

/// The steps of one pattern.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) pattern: String,
    /// By the version that they start from.
    steps: BTreeMap<Option<String>, Migration>,
    /// The version that no step leads on from.
    pub(super) newest: String,
}

/// The way from a version to the newest.
pub(super) enum Way<'a> {
    /// It is the newest.
    Current,
    Steps(Vec<&'a Migration>),
    /// No step starts from it: it may be a newer program's.
    Unknown,
}

impl Migrations {
    /// Joins steps to chains.
    ///
    /// ```
    /// use dalsegno::{Migration, Migrations};
    /// use serde_json::Value;
    ///
    /// let step = |from, to| Migration::new(from, to, |state: Value| Ok::<_, String>(state));
    /// let migrations = Migrations::new(vec![step(None, "1"), step(Some("1"), "2")])?;
    /// assert_eq!(migrations.newest("bot/42"), Some("2"));
    ///
    /// let refused = Migrations::new(vec![step(Some("1"), "2"), step(Some("2"), "1")]);
    /// assert!(refused.is_err());
    /// # Ok::<(), dalsegno::Error>(())
    /// ```
    ///
    /// # Errors
    /// `InvalidInput` where, for one pattern, two steps start from the same version, steps lead in a circle or to two
    /// newest versions; where a version is empty or too long, or a pattern can match no session. The message names them.
    pub fn new(steps: Vec<Migration>) -> Result<Self> {
        let mut by_pattern: Vec<(String, BTreeMap<Option<String>, Migration>)> = Vec::new();
        for step in steps {
            pattern::check(&step.sessions, "migration")?;
            for version in step.from.iter().chain([&step.to]) {
                if version.trim().is_empty() || version.len() > MAX_DETAIL {
                    return Err(of(
                        &step.sessions,
                        "a schema version is empty, or too long to be kept",
                    ));
                }
            }
            let at = by_pattern.iter().position(|(of, _)| *of == step.sessions);
            let at = at.unwrap_or_else(|| {
                by_pattern.push((step.sessions.clone(), BTreeMap::new()));
                by_pattern.len() - 1
            });
            let Some((pattern, chain)) = by_pattern.get_mut(at) else {
                continue;
            };
            if let Some(other) = chain.get(&step.from) {
                return Err(of(
                    pattern,
                    &format!("two start from the same version: {other}, and {step}"),
                ));
            }
            chain.insert(step.from.clone(), step);
        }
        let chains = by_pattern
            .into_iter()
            .map(|(pattern, steps)| Chain::new(pattern, steps));
        Ok(Self {
            chains: chains.collect::<Result<_>>()?,
        })
    }

    /// The newest schema version of a session: what its saves carry unless they say otherwise. None where no migration
    /// is for it.
    #[must_use]
    pub fn newest(&self, session: &str) -> Option<&str> {
        Some(self.of(session)?.newest.as_str())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chains.is_empty()
    }

    /// The chain that holds for a session.
    pub(super) fn of(&self, session: &str) -> Option<&Chain> {
        pattern::choose(&self.chains, |chain| &chain.pattern, session)
    }

    /// A state in its current shape, where that is another: of a session, saved with the schema version `version`.
    ///
    /// # Errors
    /// `InvalidInput` where a step fails, or none starts from the version.
    pub(crate) fn current(
        &self,
        session: &str,
        version: Option<&str>,
        text: &[u8],
    ) -> Result<Option<Vec<u8>>> {
        let Some(chain) = self.of(session) else {
            return Ok(None);
        };
        match chain.way(version) {
            Way::Current => Ok(None),
            Way::Steps(steps) => {
                let mut after = None;
                for step in steps {
                    after = Some(step.run(after.as_deref().unwrap_or(text))?);
                }
                Ok(after)
            }
            Way::Unknown => Err(chain.unknown(version)),
        }
    }
}

impl Chain {
    fn new(pattern: String, steps: BTreeMap<Option<String>, Migration>) -> Result<Self> {
        let starts = |version: &str| steps.get(&Some(version.to_owned()));
        let mut newest: Option<&str> = None;
        for first in steps.values() {
            let mut last = first;
            // Of so many steps, one more is one of them again.
            for _ in 0..steps.len() {
                match starts(&last.to) {
                    Some(next) => last = next,
                    None => break,
                }
            }
            if starts(&last.to).is_some() {
                let circle = format!("they lead in a circle: see the one {first}");
                return Err(of(&pattern, &circle));
            }
            match newest {
                Some(other) if other != last.to => {
                    return Err(of(
                        &pattern,
                        &format!(
                            "they lead to two newest versions, {other} and {}: add the step from one to the other",
                            last.to
                        ),
                    ));
                }
                _ => newest = Some(&last.to),
            }
        }
        let newest = newest.unwrap_or_default().to_owned();
        Ok(Self {
            pattern,
            steps,
            newest,
        })
    }

    pub(super) fn way(&self, version: Option<&str>) -> Way<'_> {
        if version == Some(&self.newest) {
            return Way::Current;
        }
        let next = |version: Option<&str>| self.steps.get(&version.map(str::to_owned));
        let steps: Vec<_> =
            std::iter::successors(next(version), |step| next(Some(&step.to))).collect();
        if steps.is_empty() {
            Way::Unknown
        } else {
            Way::Steps(steps)
        }
    }

    /// What to say of a version that no step starts from.
    pub(super) fn unknown(&self, version: Option<&str>) -> Error {
        let newest = &self.newest;
        Error::invalid(match version {
            Some(version) => format!(
                "it carries schema version {version}, from which no migration leads to {newest}: it may be a newer \
                 program's"
            ),
            None => format!(
                "it carries no schema version, and no migration to {newest} starts from none"
            ),
        })
    }
}

fn of(pattern: &str, message: &str) -> Error {
    let pattern = pattern.escape_debug();
    Error::invalid(format!("the migrations of '{pattern}': {message}"))
}
