//! Rules for the sessions of a pattern.

use jiff::SignedDuration;

use super::rules::Rules;
use crate::duration;
use crate::error::{Error, Result};
use crate::pattern;

/// What is kept of the sessions that a pattern names.
///
/// As JSON: `{"pattern": "bot/*", "rules": {"keep_daily": 30}, "grace": "7 days"}`.
///
/// In a pattern, `*` is any text without `/`, `?` one character, `[abc]` one of these, and `**`, alone
/// between slashes, any number of parts: `bot/*` is `bot/42`, `bot/**` is `bot/42/queue` too, `**` is every
/// session. `[*]` is a star. A pattern that is the name of a session, letter by letter, means that session too.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Which sessions.
    pub pattern: String,
    /// What is kept of them.
    pub rules: Rules,
    /// How long what is deleted stays in the trash; none: as long as the store says, zero: no time.
    #[serde(
        default,
        with = "duration::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub grace: Option<SignedDuration>,
}

impl Policy {
    /// Rules for the sessions of `pattern`, with the store's grace.
    #[must_use]
    pub fn new(pattern: impl Into<String>, rules: Rules) -> Self {
        Self {
            pattern: pattern.into(),
            rules,
            grace: None,
        }
    }

    /// How long what is deleted stays in the trash.
    #[must_use]
    pub fn grace(mut self, grace: SignedDuration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// Checks that the pattern can match a session and that the rules make sense.
    ///
    /// # Errors
    /// `InvalidInput`: the message names what to change.
    pub fn check(&self) -> Result<()> {
        let of = |e: Error| e.context(format!("the policy for '{}'", self.pattern.escape_debug()));
        pattern::check(&self.pattern, "policy")?;
        self.rules.check().map_err(of)?;
        match self.grace {
            Some(grace) if !grace.is_zero() => {
                duration::check(grace).map_err(|e| of(e.context("grace")))
            }
            _ => Ok(()),
        }
    }

    /// Whether it is for `session`. A pattern that [`check`](Self::check) refuses is for no session but the
    /// one of exactly this name.
    #[must_use]
    pub fn matches(&self, session: &str) -> bool {
        pattern::matches(&self.pattern, session)
    }
}

/// The policy for `session`: of those whose pattern matches, the most specific.
///
/// The session's exact name comes first, then the pattern with the most characters that are no wildcards
/// (`bot/4*` before `bot/*`), then the one with fewer `**` (`bot/*` before `bot/**`), then the one that sorts
/// first. Of equal patterns it is the first given.
#[must_use]
pub fn choose<'a>(policies: &'a [Policy], session: &str) -> Option<&'a Policy> {
    pattern::choose(policies, |policy| &policy.pattern, session)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn policy(pattern: &str) -> Policy {
        Policy::new(pattern, Rules::new().keep_last(1))
    }

    #[test]
    fn patterns() {
        for (pattern, sessions, others) in [
            ("bot/42", &["bot/42"][..], &["bot/4", "bot/421"][..]),
            (
                "bot/*",
                &["bot/42", "bot/.x"],
                &["bot", "bot/42/queue", "bots/42", "Bot/42"],
            ),
            ("bot/**", &["bot/42", "bot/42/queue"], &["bot", "bots/42"]),
            ("**", &["bot", "bot/42", "a/b/c"], &[]),
            ("*", &["bot"], &["bot/42"]),
            ("**/queue", &["queue", "bot/42/queue"], &["bot/queues"]),
            ("bot/?", &["bot/4", "bot/ä"], &["bot/42", "bot"]),
            ("bot/[0-9]*", &["bot/42"], &["bot/x"]),
            ("chat [1]", &["chat [1]", "chat 1"], &["chat 2"]),
            ("chat [1", &["chat [1"], &["chat 1"]),
            ("a[*]b", &["a*b"], &["axb"]),
        ] {
            for session in sessions {
                assert!(policy(pattern).matches(session), "{pattern} is {session}");
            }
            for session in others {
                assert!(
                    !policy(pattern).matches(session),
                    "{pattern} is not {session}"
                );
            }
        }
    }

    #[test]
    fn a_pattern_of_many_wildcards_does_not_take_for_ever() {
        let steps = "**/a/".repeat(40) + "b";
        assert!(!policy(&steps).matches(&("a/".repeat(120) + "c")));
        let stars = "*a".repeat(60) + "b";
        assert!(!policy(&stars).matches(&"a".repeat(255)));
    }

    #[test]
    fn the_most_specific_wins_whatever_the_order() {
        let mut policies = [
            "**",
            "bot/**",
            "bot/*",
            "bot/4*",
            "*/42",
            "bot/[0-9][0-9]",
            "bot/?2",
        ]
        .map(policy)
        .to_vec();
        for _ in 0..2 {
            for (session, wanted) in [
                ("chat", Some("**")),
                ("bot/7/queue", Some("bot/**")),
                ("bot/7", Some("bot/*")),
                ("bot/47", Some("bot/4*")),
                ("chat/42", Some("*/42")),
                ("bot/4", Some("bot/4*")),
                // As many literal characters: the pattern that sorts first, '4' before '?'.
                ("bot/42", Some("bot/4*")),
                ("bot/72", Some("bot/?2")),
            ] {
                let chosen = choose(&policies, session).map(|p| p.pattern.as_str());
                assert_eq!(chosen, wanted, "{session}");
            }
            policies.reverse();
        }
        policies.push(policy("bot/42"));
        assert_eq!(choose(&policies, "bot/42").unwrap().pattern, "bot/42");
        policies.push(policy("bot/[4]2"));
        assert_eq!(choose(&policies, "bot/[4]2").unwrap().pattern, "bot/[4]2");
        // A name that looks like a pattern is still the exact one.
        let odd = ["chat ??]", "chat [1]"].map(policy);
        assert_eq!(choose(&odd, "chat [1]").unwrap().pattern, "chat [1]");
        assert_eq!(choose(&policies[..0], "bot/42"), None);
        assert_eq!(choose(&[policy("bot/*")], "chat"), None);
    }

    #[test]
    fn odd_policies_are_refused() {
        for (odd, said) in [
            (policy(""), "the pattern of a policy"),
            (policy("/bot"), "empty part"),
            (policy("bot//*"), "empty part"),
            (policy(&"x".repeat(300)), "limit is 255"),
            (policy("ä/b**"), "must form a single path component"),
            (policy("a/***"), "pattern is wrong: wildcards"),
            (policy("bot/[0"), "[[] for a bracket"),
            (
                Policy::new("bot/*", Rules::new()),
                "the policy for 'bot/*': the rules say nothing",
            ),
            (policy("a").grace(SignedDuration::from_secs(-1)), "grace: "),
            (policy("a").grace(SignedDuration::MAX), "'a': grace: "),
        ] {
            let error = odd.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(said), "{error}");
        }
        for fine in ["bot/*", "**", "**/x/**", "a/?[x]*"] {
            policy(fine).check().unwrap();
            policy(fine).grace(SignedDuration::ZERO).check().unwrap();
        }
    }

    #[test]
    fn json_of_a_policy() {
        let json = r#"{"pattern":"bot/*","rules":{"keep_daily":30},"grace":"7 days"}"#;
        let policy: Policy = serde_json::from_str(json).unwrap();
        assert_eq!(policy.grace, Some(SignedDuration::from_hours(168)));
        assert_eq!(serde_json::to_string(&policy).unwrap(), json);
        let short: Policy = serde_json::from_str(r#"{"pattern":"a","rules":{}}"#).unwrap();
        assert_eq!(short, Policy::new("a", Rules::new()));
        assert!(serde_json::from_str::<Policy>(r#"{"pattern":"a","rules":{},"x":1}"#).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_pattern_is_checked_and_matched(pattern in "[a/*?\\[\\]!\\-]{0,30}", session in "[a/]{0,60}") {
            let policy = policy(&pattern);
            let _ = policy.check();
            let _ = policy.matches(&session);
        }
    }
}
