//! `dalsegno audit log`

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use dalsegno::{Action, AuditEntry, AuditOutcome, AuditPage, AuditQuery, ErrorKind};
use jiff::Timestamp;
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::{human, style, table, when};

/// So many sessions are named in a line; the rest are counted.
const NAMED: usize = 3;

const OUTCOMES: [AuditOutcome; 4] = [
    AuditOutcome::Done,
    AuditOutcome::Denied,
    AuditOutcome::Begun,
    AuditOutcome::RolledBack,
];

/// Show what stands in the audit log, newest first
///
/// A session that is gone is # and the number that it had. Exit code 6 if something of it is damaged; the rest is shown
/// all the same.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno audit log
  dalsegno audit log --session bot/42 --since 24h
  dalsegno audit log --outcome denied --who reader
  dalsegno audit log --action delete --action purge --all --json")]
pub(crate) struct Log {
    /// Only what was done to this session
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
    /// Only what this principal or program did, or what was done for it
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Only this action; may be given several times
    #[arg(long = "action", value_name = "ACTION", value_parser = actions())]
    actions: Vec<Action>,
    /// Only what ended so
    #[arg(long, value_name = "OUTCOME", value_parser = outcomes())]
    outcome: Option<AuditOutcome>,
    /// Only what was done at this time or later: 2026-11-20T21:30, or 24h or 7d for so long ago
    #[arg(long, value_name = "TIME", value_parser = when::parse, allow_hyphen_values = true)]
    since: Option<Timestamp>,
    /// Only what was done before this time
    #[arg(long, value_name = "TIME", value_parser = when::parse, allow_hyphen_values = true)]
    until: Option<Timestamp>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
    /// All of them
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

impl Log {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let limit = if self.all { usize::MAX } else { limit };
        let mut page = engine.audit_log(&AuditQuery {
            session: self.session.clone(),
            who: self.who.clone(),
            actions: self.actions.clone(),
            outcome: self.outcome,
            since: self.since,
            until: self.until,
            // One more says whether there are more.
            limit: Some(limit.saturating_add(1)),
        })?;
        let are_more = page.entries.len() > limit;
        page.entries.truncate(limit);
        if out.is_json() {
            out.json(&json!({
                "entries": page.entries, "more": are_more, "damage": page.damage,
            }))?;
            return damaged(&page);
        }
        if page.entries.is_empty() && page.damage.is_empty() {
            let is_there = match engine.audit_head() {
                Err(error) if error.kind() == ErrorKind::NotFound => false,
                head => head.map(|_| true)?,
            };
            out.note(if is_there {
                "nothing of that stands in the audit log"
            } else {
                "the store has no audit log; `audit on` begins one"
            });
            return Ok(());
        }
        let rows = page.entries.iter().map(row).collect();
        let heads = [
            ">NO",
            "WHEN",
            "WHO",
            "WHAT",
            "OUTCOME",
            "SESSIONS",
            "SNAPSHOTS",
            "NOTE",
        ];
        let mut lines = table::lay_out(&heads, rows).into_iter();
        if let Some(head) = lines.next() {
            out.line(style::head(head))?;
        }
        for (line, entry) in lines.zip(&page.entries) {
            let denied = entry.outcome == AuditOutcome::Denied;
            out.line(if denied { style::bad(&line) } else { line })?;
        }
        if are_more {
            out.note("there are more: --limit or --all shows them");
        }
        damaged(&page)
    }
}

fn row(entry: &AuditEntry) -> Vec<String> {
    let who = human::safe(&entry.who);
    let who = match &entry.behalf {
        Some(behalf) => format!("{who} (for {})", human::safe(behalf)),
        None => who,
    };
    let named = entry.sessions.iter().take(NAMED);
    let mut sessions: Vec<String> = named.map(|session| human::safe(session)).collect();
    match entry.sessions.len().saturating_sub(NAMED) {
        0 => {}
        more => sessions.push(format!("and {more} more")),
    }
    let first = entry.snapshots.first().map(|id| human::short(*id));
    let snapshots = match (first, entry.count) {
        (Some(first), 1) => first,
        (Some(first), count) => format!("{first} and {} more", count.saturating_sub(1)),
        (None, _) => String::new(),
    };
    vec![
        entry.number.to_string(),
        human::time(entry.at),
        who,
        entry.action.to_string(),
        entry.outcome.as_str().to_owned(),
        sessions.join(", "),
        snapshots,
        entry.note.as_deref().map(human::safe).unwrap_or_default(),
    ]
}

/// What could be read was shown.
fn damaged(page: &AuditPage) -> Result<()> {
    if page.damage.is_empty() {
        return Ok(());
    }
    let damage = page.damage.iter();
    let mut lines: Vec<String> = damage
        .map(|it| format!("  {}", human::safe(&it.message)))
        .collect();
    lines.insert(0, "not all of it can be read:".to_owned());
    lines.push("run `dalsegno audit verify` to see where it is damaged".to_owned());
    Err(Failure::new(ErrorKind::Damaged, lines.join("\n")))
}

fn actions() -> impl TypedValueParser<Value = Action> {
    let words = Action::ALL.iter().map(|action| action.as_str());
    PossibleValuesParser::new(words).try_map(|text| text.parse::<Action>())
}

fn outcomes() -> impl TypedValueParser<Value = AuditOutcome> {
    let parser = PossibleValuesParser::new(OUTCOMES.map(AuditOutcome::as_str));
    parser.try_map(|text| {
        let found = OUTCOMES.into_iter().find(|it| it.as_str() == text);
        found.ok_or("there is no such outcome")
    })
}
