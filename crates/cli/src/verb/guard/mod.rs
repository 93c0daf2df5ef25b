//! `dalsegno guard …`: lists that lose no items without a word.

mod list;
mod restore;
mod status;

use clap::{Args, Subcommand};
use dalsegno::guard::{GENERATIONS, GuardPolicy, GuardRule, MAX_AGE};
use dalsegno::{ErrorKind, display_duration};
use jiff::SignedDuration;
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::verb::put::close;
use crate::verb::rules::duration;
use crate::{human, table};

/// Guard lists of a session: a save that loses items without a word keeps the fuller state
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum Guard {
    Set(Set),
    List(list::List),
    Remove(Remove),
    Status(status::Status),
    Restore(restore::Restore),
}

/// Guard lists of the sessions whose names match a pattern
///
/// From the next save on, by whatever program. Items are lost that are in no list of the new state any more. What
/// leaves a list by nature is said behind its path, after commas: consumed=front (or back) where items leave because
/// they are used, trimmed=front (or back) where the oldest are and leave because the list is bounded, bound=N how many
/// items it then has, key=PATH what says which item is which (without it, items are compared whole).
///
/// A save that takes items away on purpose says so with --intent, and then nothing is kept. Patterns are those of
/// `policy set`. A guard of the same pattern is replaced.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno guard set 'chat/*' messages
  dalsegno guard set 'bot/*' queue.upcoming,consumed=front queue.history,trimmed=front,bound=100
  dalsegno guard set 'game/*' story.events,key=id --generations 10 --max-age 90d")]
pub(crate) struct Set {
    /// The pattern, such as 'chat/*'
    pattern: String,
    /// The lists: names of members with dots between them, and what leaves each by nature; none, to guard nothing
    #[arg(value_name = "LIST[,key=PATH][,consumed=END][,trimmed=END][,bound=N]")]
    lists: Vec<String>,
    /// How many fuller states of a session are kept; pinned ones are not counted
    #[arg(long, value_name = "N", default_value_t = GENERATIONS, allow_negative_numbers = true)]
    generations: u32,
    /// How long each is kept, unless it is pinned: 12h, 30d, 8 weeks [default: 30 days]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    max_age: Option<SignedDuration>,
    /// Show what would be stored, without storing it
    #[arg(long)]
    dry_run: bool,
}

/// Remove a guard
///
/// The fuller states that it kept stay.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno guard remove 'chat/*'")]
pub(crate) struct Remove {
    /// The pattern, as `guard list` shows it
    pattern: String,
    /// Show what would be removed, without removing it
    #[arg(long)]
    dry_run: bool,
}

impl Guard {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        match self {
            Self::Set(set) => set.run(global, out),
            Self::List(list) => list.run(global, out),
            Self::Remove(remove) => remove.run(global, out),
            Self::Status(status) => status.run(global, out),
            Self::Restore(restore) => restore.run(global, out),
        }
    }
}

impl Set {
    fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let mut guard = GuardPolicy::new(&self.pattern)
            .generations(self.generations)
            .max_age(self.max_age.unwrap_or(MAX_AGE));
        for list in &self.lists {
            guard = guard.list(rule(list)?);
        }
        guard.check()?;
        let engine = Place::open(global)?;
        if !self.dry_run {
            engine.set_guard(&guard)?;
            out.did();
        }
        close(engine, out);
        if out.is_json() {
            return out.json(&json!({"dry_run": self.dry_run, "guard": guard}));
        }
        out.line(table::lay_out(&["", "", ""], rows(&guard)).join("\n"))?;
        out.line(if self.dry_run {
            "dry run: nothing was changed"
        } else {
            "saves are held to it from now on"
        })
    }
}

impl Remove {
    fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        // What is damaged can be removed too, and is then not told of.
        let known = match engine.guards() {
            Err(error) if self.dry_run => return Err(error.into()),
            known => known.unwrap_or_default(),
        };
        let there = known.into_iter().find(|it| it.pattern == self.pattern);
        if !self.dry_run {
            engine.remove_guard(&self.pattern)?;
            out.did();
        } else if there.is_none() {
            return Err(Failure::new(
                ErrorKind::NotFound,
                format!(
                    "the store has no guard for '{}'; `guard list` shows those there are",
                    self.pattern
                ),
            ));
        }
        close(engine, out);
        if out.is_json() {
            return out.json(&json!({"dry_run": self.dry_run, "guard": there}));
        }
        let pattern = human::safe(&self.pattern);
        out.line(if self.dry_run {
            format!("dry run: the guard for {pattern} would be removed; nothing was changed")
        } else {
            format!("removed the guard for {pattern}; the fuller states that it kept stay")
        })
    }
}

/// A list as users type it.
fn rule(text: &str) -> Result<GuardRule> {
    const WORDS: [&str; 4] = ["key", "consumed", "trimmed", "bound"];
    let refuse = |what: String| Failure::usage(format!("the list '{text}': {what}"));
    // Names in brackets may have commas in them.
    let mut parts: Vec<String> = Vec::new();
    for part in text.split(',') {
        let word = part.split_once('=').map(|(word, _)| word);
        match (parts.last_mut(), word) {
            (Some(last), word)
                if last.contains('[') && !word.is_some_and(|w| WORDS.contains(&w)) =>
            {
                last.push(',');
                last.push_str(part);
            }
            _ => parts.push(part.to_owned()),
        }
    }
    let mut parts = parts.into_iter();
    let mut rule = GuardRule::new(parts.next().unwrap_or_default());
    for part in parts {
        let end = |value: &str| value.to_owned().try_into().map_err(refuse);
        match part.split_once('=') {
            Some(("key", key)) => rule = rule.key(key),
            Some(("consumed", value)) => rule = rule.consumed(end(value)?),
            Some(("trimmed", value)) => rule = rule.trimmed(end(value)?),
            Some(("bound", value)) => {
                let bound = value.parse();
                rule = rule.bound(bound.map_err(|_| refuse(format!("'{value}' is no number")))?);
            }
            _ => {
                let known = WORDS.join("=, ");
                return Err(refuse(format!("'{part}' is none of {known}=")));
            }
        }
    }
    Ok(rule)
}

/// A line for each list: pattern, list, limits.
fn rows(guard: &GuardPolicy) -> Vec<Vec<String>> {
    let limits = format!(
        "{}, {}",
        human::count(guard.generations.into(), "generation"),
        display_duration(guard.max_age)
    );
    let mut head = [human::safe(&guard.pattern), limits].into_iter();
    let (pattern, limits) = (head.next(), head.next());
    let mut lists: Vec<String> = guard.lists.iter().map(shown).collect();
    if lists.is_empty() {
        lists.push("nothing is guarded".to_owned());
    }
    let mut firsts = std::iter::once((pattern, limits)).chain(std::iter::repeat((None, None)));
    let row = |list| {
        let (pattern, limits) = firsts.next().unwrap_or_default();
        vec![
            pattern.unwrap_or_default(),
            list,
            limits.unwrap_or_default(),
        ]
    };
    lists.into_iter().map(row).collect()
}

/// A list as users type it.
fn shown(rule: &GuardRule) -> String {
    let mut text = rule.list.clone();
    let end = |end| match end {
        dalsegno::guard::End::Front => "front",
        dalsegno::guard::End::Back => "back",
    };
    let parts = [
        ("key", rule.key.clone()),
        ("consumed", rule.consumed.map(|it| end(it).to_owned())),
        ("trimmed", rule.trimmed.map(|it| end(it).to_owned())),
        ("bound", rule.bound.map(|bound| bound.to_string())),
    ];
    for (word, value) in parts {
        if let Some(value) = value {
            text.push_str(&format!(",{word}={value}"));
        }
    }
    human::safe(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_shown_as_it_is_typed() {
        for text in [
            "messages",
            ".",
            "queue.upcoming,consumed=front",
            "history,key=info.id,trimmed=back,bound=100",
            "bank[\"a,b\"].items,key=id",
        ] {
            let rule = rule(text).unwrap();
            rule.check().unwrap();
            assert_eq!(shown(&rule), text);
        }
        for (odd, said) in [
            ("a,b", "'b' is none of key=, consumed="),
            ("a,bound=x", "'x' is no number"),
            ("a,consumed=top", "'top' is no end of a list"),
        ] {
            let error = rule(odd).unwrap_err();
            assert!(error.message().contains(said), "{}", error.message());
        }
    }
}
