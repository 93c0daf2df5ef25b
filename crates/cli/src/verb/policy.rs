//! `dalsegno policy …`: the rules that `snapshot cleanup` goes by when it is given none.

use clap::{Args, Subcommand};
use dalsegno::display_duration;
use dalsegno::retention::{Policy as Kept, Rules};
use jiff::SignedDuration;
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::verb::put::close;
use crate::verb::rules::{RuleOptions, duration};
use crate::{human, style, table};

/// Store rules for `snapshot cleanup`, by pattern of sessions' names
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum Policy {
    Set(Set),
    List(List),
    Remove(Remove),
}

/// Store rules for the sessions whose names match a pattern
///
/// `snapshot cleanup` goes by them where it is given no rules. In a pattern, * is any text without /,
/// ? one character, and **, alone between slashes, any number of parts: 'bot/*' is bot/42, '**' every
/// session. Of several patterns that match, only the most specific one applies. A policy of the same
/// pattern is replaced.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno policy set '**' --keep-last 100 --keep-daily 30
  dalsegno policy set 'bot/*' --kind auto --keep-hourly 48 --keep-daily 14 --grace 1d")]
pub(crate) struct Set {
    /// The pattern, such as 'bot/*'
    pattern: String,
    /// How long what is deleted stays in the trash: 12h, 7d, 2 weeks [default: 7 days]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    grace: Option<SignedDuration>,
    /// Show what would be stored, without storing it
    #[arg(long)]
    dry_run: bool,
    // Last, because its heading holds for all that follows.
    #[command(flatten)]
    rules: RuleOptions,
}

/// List the policies
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno policy list
  dalsegno policy list --json")]
pub(crate) struct List {}

/// Remove a policy
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno policy remove 'bot/*'")]
pub(crate) struct Remove {
    /// The pattern, as `policy list` shows it
    pattern: String,
    /// Show what would be removed, without removing it
    #[arg(long)]
    dry_run: bool,
}

impl Policy {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        match self {
            Self::Set(set) => set.run(global, out),
            Self::List(_) => list(global, out),
            Self::Remove(remove) => remove.run(global, out),
        }
    }
}

impl Set {
    fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let rules = self.rules.rules()?.ok_or_else(|| {
            Failure::usage("a policy needs a rule, such as --keep-last 100 or --older-than 30d")
        })?;
        let mut policy = Kept::new(&self.pattern, rules);
        policy.grace = self.grace;
        policy.check()?;
        let engine = Place::open(global)?;
        if !self.dry_run {
            engine.set_policy(&policy)?;
            out.did();
        }
        close(engine, out);
        if out.is_json() {
            return out.json(&json!({"dry_run": self.dry_run, "policy": policy}));
        }
        let row = vec![row(&policy)];
        out.line(table::lay_out(&["", "", ""], row).join("\n"))?;
        out.line(if self.dry_run {
            "dry run: nothing was changed"
        } else {
            "`snapshot cleanup` goes by it from now on"
        })
    }
}

impl Remove {
    fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        // What is damaged can be removed too, and is then not told of.
        let known = match engine.policies() {
            Err(error) if self.dry_run => return Err(error.into()),
            known => known.unwrap_or_default(),
        };
        let there = known
            .into_iter()
            .find(|policy| policy.pattern == self.pattern);
        match there {
            Some(policy) if self.dry_run => {
                if out.is_json() {
                    return out.json(&json!({"dry_run": true, "policy": policy}));
                }
                let row = vec![row(&policy)];
                out.line(table::lay_out(&["", "", ""], row).join("\n"))?;
                out.line("dry run: nothing was changed")
            }
            there => {
                engine.remove_policy(&self.pattern)?;
                out.did();
                close(engine, out);
                if out.is_json() {
                    return out.json(&json!({"dry_run": false, "policy": there}));
                }
                out.line(format!(
                    "removed the policy for {}",
                    human::safe(&self.pattern)
                ))
            }
        }
    }
}

fn list(global: &Global, out: &mut Out) -> Result<()> {
    let policies = Place::open(global)?.policies()?;
    if out.is_json() {
        return out.json(&json!({"policies": policies}));
    }
    if policies.is_empty() {
        out.note("no policies: `snapshot cleanup` needs rules of its own");
        return Ok(());
    }
    let rows = policies.iter().map(row).collect();
    let mut lines = table::lay_out(&["SESSIONS", "RULES", "TRASH"], rows).into_iter();
    if let Some(head) = lines.next() {
        out.line(style::head(head))?;
    }
    lines.try_for_each(|line| out.line(line))
}

fn row(policy: &Kept) -> Vec<String> {
    let grace = policy.grace.map_or_else(String::new, display_duration);
    vec![human::safe(&policy.pattern), rules(&policy.rules), grace]
}

fn rules(rules: &Rules) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut option = |name: &str, value: Option<String>| {
        words.extend(value.map(|value| format!("{name} {value}")));
    };
    let number = |number: Option<u32>| number.map(|number| number.to_string());
    option("older than", rules.older_than.map(display_duration));
    option("keep last", number(rules.keep_last));
    option("keep hourly", number(rules.keep_hourly));
    option("keep daily", number(rules.keep_daily));
    option("keep weekly", number(rules.keep_weekly));
    option("keep monthly", number(rules.keep_monthly));
    for kind in &rules.kinds {
        option("kind", Some(kind.to_string()));
    }
    for tag in &rules.tags {
        option("tag", Some(human::safe(tag)));
    }
    if rules.keep_nothing {
        words.push("keep nothing".to_owned());
    }
    words.join(", ")
}
