//! `dalsegno doctor`: what it sees of the store, and what is wrong.

use clap::Args;
use dalsegno::{Diagnosis, Engine};
use dalsegno_config::Loaded;
use serde_json::{Value, json};

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::verb::config::{self, tell};
use crate::verb::verify;
use crate::{human, key, settings, style, table, token};

/// Look at the store's file, settings, disk and permissions, and at the configuration
///
/// Exit code 1 if something does not work or is in danger. What the snapshots hold is not read; see
/// `dalsegno verify` for that.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno doctor
  dalsegno doctor --store /srv/bot/states --json")]
pub(crate) struct Doctor {}

impl Doctor {
    // As every verb, though it has nothing of its own to look at.
    #[expect(clippy::unused_self, reason = "options will come")]
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let place = Place::find(global)?;
        let engine = place.engine()?;
        let seen = engine.doctor()?;
        let access = Access::of(&engine)?;
        drop(engine);
        let given = key::given().ok().flatten().filter(|_| seen.encrypted);
        // Where it cannot be read, a store that is named without it can be looked at all the same.
        let configuration = settings::configuration();
        let mut findings = config::findings(&configuration);
        findings.extend(given.as_ref().and_then(|given| given.beside(&seen.path)));
        if out.is_json() {
            let mut all = serde_json::to_value(&seen).map_err(|e| {
                Failure::usage(format!("the answer cannot be written as JSON: {e}"))
            })?;
            if let Some(all) = all.as_object_mut() {
                let settings = seen.settings.iter().cloned().map(|(k, v)| (k, json!(v)));
                all.insert("settings".to_owned(), settings.collect());
                if let Some(Value::Array(all)) = all.get_mut("findings") {
                    all.extend(findings.iter().map(|finding| json!(finding)));
                }
                all.insert("configuration".to_owned(), config::files(&configuration));
                all.insert("named_by".to_owned(), json!(place.named.by()));
                all.insert(
                    "key_by".to_owned(),
                    json!(given.as_ref().map(key::Given::by)),
                );
                all.insert("asks_who".to_owned(), json!(access.asks));
                all.insert("token_by".to_owned(), json!(access.by));
                all.insert("audited".to_owned(), json!(access.audited));
                all.insert("version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
            }
            out.json(&all)?;
        } else {
            for line in table::lay_out(
                &["", ""],
                rows(
                    &seen,
                    &place,
                    configuration.as_ref().ok(),
                    given.as_ref(),
                    &access,
                ),
            ) {
                out.line(line)?;
            }
            for finding in &seen.findings {
                out.line("")?;
                tell(finding.severity, &finding.message, &finding.remedy, out)?;
            }
            for finding in &findings {
                out.line("")?;
                tell(finding.severity, &finding.message, &finding.remedy, out)?;
            }
            if seen.findings.is_empty() {
                let good = style::good("nothing is wrong");
                out.line(format!(
                    "\n{good} with the file; `dalsegno verify` proves what it holds"
                ))?;
            }
        }
        let of_store = seen.findings.iter().map(|finding| finding.severity);
        config::refuse_problems(of_store.chain(findings.iter().map(|f| f.severity)))
    }
}

/// Whether the store asks who is there, what told it, and whether it writes down what is done.
struct Access {
    asks: bool,
    by: Option<String>,
    audited: bool,
}

impl Access {
    fn of(engine: &Engine) -> Result<Self> {
        let asks = engine.has_principals()?;
        let given = token::given().ok().flatten().filter(|_| asks);
        Ok(Self {
            asks,
            by: given.as_ref().map(token::Given::by),
            audited: engine.is_audited()?,
        })
    }

    fn shown(&self) -> String {
        match &self.by {
            Some(by) => format!("by principals; the token is that of {}", human::safe(by)),
            None => "everybody may do everything".to_owned(),
        }
    }
}

fn rows(
    seen: &Diagnosis,
    place: &Place,
    loaded: Option<&Loaded>,
    given: Option<&key::Given>,
    access: &Access,
) -> Vec<Vec<String>> {
    let encryption = given.map_or_else(
        || "none".to_owned(),
        |given| format!("on, opened by {}", human::safe(&given.by())),
    );
    let newest = seen.newest.as_ref().map_or_else(
        || "none yet".to_owned(),
        |newest| {
            let session = human::safe(&newest.session);
            format!(
                "{} of {session}, {}",
                human::short(newest.id),
                human::time(newest.created_at)
            )
        },
    );
    let [file_mode, folder_mode] = &seen.modes;
    let settings: Vec<_> = seen
        .settings
        .iter()
        .map(|(k, v)| format!("{k} {v}"))
        .collect();
    let open_for = if seen.read_only {
        "reading only"
    } else {
        "reading and writing"
    };
    let files = loaded
        .into_iter()
        .flat_map(|l| [&l.project_file, &l.user_file]);
    let files: Vec<_> = files.flatten().map(|f| f.display().to_string()).collect();
    let configuration = match loaded {
        None => "cannot be read".to_owned(),
        Some(_) if files.is_empty() => "none".to_owned(),
        Some(_) => human::safe(&files.join(", ")),
    };
    [
        ("program", format!("dalsegno {}", env!("CARGO_PKG_VERSION"))),
        ("store", human::safe(&seen.path.display().to_string())),
        ("named by", human::safe(place.named.by())),
        ("configuration", configuration),
        ("id, format", format!("{}, {}", seen.id, seen.format)),
        ("open for", open_for.to_owned()),
        ("encryption", encryption),
        ("access", access.shown()),
        (
            "audit log",
            if access.audited { "on" } else { "off" }.to_owned(),
        ),
        ("sessions", indicatif::HumanCount(seen.sessions).to_string()),
        (
            "snapshots",
            format!(
                "{}{}",
                indicatif::HumanCount(seen.snapshots),
                verify::marked(seen.repaired)
            ),
        ),
        ("newest", newest),
        (
            "size",
            format!(
                "{}, of which {} are free",
                human::size(seen.bytes),
                human::size(seen.free_bytes)
            ),
        ),
        ("disk", format!("{} free", human::size(seen.disk_free))),
        ("modes", format!("file {file_mode}, folder {folder_mode}")),
        ("durability", seen.durability.clone()),
        ("settings", settings.join(", ")),
    ]
    .map(|(name, value)| vec![name.to_owned(), value])
    .into()
}
