//! `sonoractl doctor`: whether all is there that a bot needs.

use std::path::Path;

use clap::Args;
use dalsegno::{Holder, Holding, Severity};
use serde_json::json;

use super::health_check;
use super::options::Options;
use crate::failure::{Failure, Result, hint};
use crate::output::Out;
use crate::place::Place;
use crate::verb::config;
use crate::{human, key, settings, style, table, token};

/// Look at the configuration, the store, the node and who has which player
///
/// Exit code 1 if something does not work.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sonoractl doctor
  sonoractl doctor --password-file node.password --json")]
pub(super) struct Doctor {}

/// What was looked at, what was seen, and how bad that is, if it is.
struct Check {
    what: &'static str,
    seen: String,
    wrong: Option<Severity>,
}

impl Doctor {
    #[expect(clippy::unused_self, reason = "as every verb")]
    pub(super) fn run(&self, options: &Options, out: &mut Out) -> Result<()> {
        let mut checks = vec![Check::well(
            "program",
            format!("sonoractl {}", env!("CARGO_PKG_VERSION")),
        )];
        checks.extend(configuration());
        checks.extend(store(options));
        checks.push(match options.node().and_then(|it| health_check::ask(&it)) {
            Ok(health) => Check::well(
                "node",
                format!(
                    "Lavalink {}, {} playing",
                    health.info.version, health.stats.playing
                ),
            ),
            Err(failure) => Check::problem("node", failure.message()),
        });
        let wrong = checks.iter().filter(|check| !check.is_well()).count() as u64;
        if out.is_json() {
            let checks = checks.iter().map(|check| {
                json!({
                    "what": check.what, "seen": check.seen, "well": check.is_well(),
                    "severity": check.wrong,
                })
            });
            out.json(&json!({"checks": checks.collect::<Vec<_>>()}))?;
        } else {
            let rows = checks.iter().map(|check| {
                vec![
                    check.mark().to_owned(),
                    check.what.to_owned(),
                    human::safe(&check.seen),
                ]
            });
            let lines = table::lay_out(&["", "", ""], rows.collect());
            for (line, check) in lines.into_iter().zip(&checks) {
                // Once it is laid out: colours have a width of their own.
                let mark = check.mark();
                let shown = match check.wrong {
                    None => style::good(mark),
                    Some(Severity::Warning) => style::head(mark),
                    Some(Severity::Problem) => style::bad(mark),
                };
                out.line(line.replacen(mark, &shown, 1))?;
            }
        }
        match wrong {
            0 => Ok(()),
            some => Err(Failure::problem(format!(
                "found {}",
                human::count(some, "problem")
            ))),
        }
    }
}

impl Check {
    fn well(what: &'static str, seen: String) -> Self {
        let wrong = None;
        Self { what, seen, wrong }
    }

    fn problem(what: &'static str, seen: &str) -> Self {
        Self {
            what,
            // A line of a table.
            seen: seen.replace('\n', "; "),
            wrong: Some(Severity::Problem),
        }
    }

    fn finding(what: &'static str, severity: Severity, message: &str, remedy: &str) -> Self {
        Self {
            what,
            seen: hint(format!("{message}; {remedy}")),
            wrong: Some(severity),
        }
    }

    /// What is warned of works.
    fn is_well(&self) -> bool {
        self.wrong != Some(Severity::Problem)
    }

    fn mark(&self) -> &'static str {
        match self.wrong {
            None => "well",
            Some(Severity::Warning) => "warning",
            Some(Severity::Problem) => "problem",
        }
    }
}

/// What opened an encrypted store, and whether it lies beside it.
fn encryption(store: &Path) -> Vec<Check> {
    let what = "encryption";
    let given = key::given().ok().flatten();
    let by = given.as_ref().map(key::Given::by).unwrap_or_default();
    let beside = given.as_ref().and_then(|given| given.beside(store));
    let beside = beside.map(|it| Check::finding(what, it.severity, &it.message, &it.remedy));
    let mut checks = vec![Check::well(what, format!("on, opened by {by}"))];
    checks.extend(beside);
    checks
}

/// What said who asks.
fn access() -> Option<Check> {
    let given = token::given().ok().flatten()?;
    let seen = format!("by principals; the token is that of {}", given.by());
    Some(Check::well("access", seen))
}

fn configuration() -> Vec<Check> {
    let what = "configuration";
    let findings = config::findings(&settings::configuration());
    if findings.is_empty() {
        return vec![Check::well(what, "nothing is wrong with it".to_owned())];
    }
    let checks = findings.iter();
    let checks = checks.map(|it| Check::finding(what, it.severity, &it.message, &it.remedy));
    checks.collect()
}

fn store(options: &Options) -> Vec<Check> {
    let what = "store";
    let place = match Place::find(&options.global) {
        Ok(place) => place,
        Err(failure) => return vec![Check::problem(what, failure.message())],
    };
    let engine = match place.engine() {
        Ok(engine) => engine,
        Err(failure) => return vec![Check::problem(what, failure.message())],
    };
    let mut checks = Vec::new();
    match engine.doctor() {
        Ok(seen) => {
            let (path, by) = (seen.path.display(), place.named.by());
            checks.push(Check::well(what, format!("{path}, named by {by}")));
            if seen.encrypted {
                checks.extend(encryption(&seen.path));
            }
            if engine.has_principals().unwrap_or_default() {
                checks.extend(access());
            }
            let findings = seen.findings.iter();
            checks.extend(
                findings.map(|it| Check::finding(what, it.severity, &it.message, &it.remedy)),
            );
        }
        Err(error) => checks.push(Check::problem(what, Failure::from(error).message())),
    }
    checks.push(match options.guilds(&engine).and_then(|it| it.holders()) {
        Ok(holders) => Check::well("players", players(&holders)),
        Err(failure) => Check::problem("players", failure.message()),
    });
    checks
}

/// Who has them.
fn players(holders: &[(u64, Holder)]) -> String {
    let count = |standing| {
        let of = holders.iter().filter(|(_, it)| it.standing == standing);
        of.count() as u64
    };
    let bot = match count(Holding::Open) {
        0 => "no bot runs".to_owned(),
        open => format!("a bot plays in {}", human::count(open, "guild")),
    };
    match count(Holding::Gone) {
        0 => bot,
        gone => format!(
            "{bot}; a bot that ended left {}, which the next start brings back",
            human::count(gone, "guild")
        ),
    }
}
