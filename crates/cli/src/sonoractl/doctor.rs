//! `sonoractl doctor`: whether all is there that a bot needs.

use clap::Args;
use dalsegno::Holding;
use serde_json::json;

use super::health_check;
use super::options::Options;
use crate::failure::{Failure, Result};
use crate::output::Out;
use crate::place::Place;
use crate::verb::config;
use crate::{human, key, settings, style, table};

/// Look at the configuration, the store, the node and who has which player
///
/// Exit code 1 if something does not work.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sonoractl doctor
  sonoractl doctor --password-file node.password --json")]
pub(super) struct Doctor {}

/// What was looked at, what was seen, and whether that is well.
struct Check {
    what: &'static str,
    seen: String,
    well: bool,
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
            Err(failure) => Check::of("node", failure.message(), false),
        });
        let wrong = checks.iter().filter(|check| !check.well).count() as u64;
        if out.is_json() {
            let checks = checks
                .iter()
                .map(|check| json!({"what": check.what, "seen": check.seen, "well": check.well}));
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
                let shown = if check.well {
                    style::good(mark)
                } else {
                    style::bad(mark)
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
        Self {
            what,
            seen,
            well: true,
        }
    }

    fn mark(&self) -> &'static str {
        if self.well { "well" } else { "problem" }
    }

    fn of(what: &'static str, seen: &str, well: bool) -> Self {
        let seen = seen.to_owned();
        Self { what, seen, well }
    }
}

fn configuration() -> Vec<Check> {
    let configuration = settings::configuration();
    let findings = config::findings(&configuration);
    if findings.is_empty() {
        return vec![Check::of("configuration", "nothing is wrong with it", true)];
    }
    let checks = findings.iter().map(|it| {
        let well = it.severity == dalsegno::Severity::Warning;
        Check::of(
            "configuration",
            &format!("{}; {}", it.message, it.remedy),
            well,
        )
    });
    checks.collect()
}

fn store(options: &Options) -> Vec<Check> {
    let place = match Place::find(&options.global) {
        Ok(place) => place,
        Err(failure) => return vec![Check::of("store", failure.message(), false)],
    };
    let engine = match place.engine() {
        Ok(engine) => engine,
        Err(failure) => return vec![Check::of("store", failure.message(), false)],
    };
    let mut checks = Vec::new();
    match engine.doctor() {
        Ok(seen) => {
            let (path, by) = (seen.path.display(), place.named.by());
            checks.push(Check::well("store", format!("{path}, named by {by}")));
            if seen.encrypted {
                let given = key::given().ok().flatten();
                let by = given.as_ref().map(key::Given::by).unwrap_or_default();
                checks.push(Check::well("encryption", format!("on, opened by {by}")));
                let beside = given.and_then(|given| given.beside(&seen.path));
                checks.extend(beside.map(|it| {
                    let said = format!("{}; {}", it.message, it.remedy);
                    Check::of("encryption", &said, true)
                }));
            }
            checks.extend(seen.findings.iter().map(|it| {
                let well = it.severity == dalsegno::Severity::Warning;
                Check::of("store", &format!("{}; {}", it.message, it.remedy), well)
            }));
        }
        Err(error) => checks.push(Check::of("store", &error.to_string(), false)),
    }
    let guilds = options.guilds(&engine);
    checks.push(match guilds.holders() {
        Ok(holders) => {
            let count = |standing| {
                holders.iter().filter(|(_, it)| it.standing == standing).count()
            };
            let (open, gone) = (count(Holding::Open), count(Holding::Gone));
            let bot = if open > 0 { "a bot plays" } else { "no bot runs, for" };
            Check::well(
                "players",
                format!(
                    "{bot} {}; {gone} were left by one that ended, which the next start brings back",
                    human::count(open as u64, "guild")
                ),
            )
        }
        Err(failure) => Check::of("players", failure.message(), false),
    });
    checks
}
