//! Faults that a test scripts: which requests they meet, and what becomes of these.

use std::time::Duration;

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is cut, and nothing is done.
    Drop,
    /// Nothing is done, and this status is answered.
    Status(u16),
    /// Nothing is done, and 429 is answered.
    TooMany {
        /// What `Retry-After` says.
        retry_after: Duration,
    },
    /// It is done, and answered, so much later by the node's clock.
    Slow(Duration),
    /// It is answered as if it were done, and nothing is done.
    Lie,
    /// It is done, and the connection is cut instead of an answer.
    DropAfter,
    /// So many requests are answered; with the next one the node dies.
    DieAfter(u32),
}

/// A fault, and the requests that it meets: all of them, until said otherwise.
#[derive(Clone, Debug)]
pub struct Rule {
    fault: Fault,
    method: Option<String>,
    path: String,
    left: Option<u32>,
}

impl Rule {
    /// The fault for every request.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            method: None,
            path: "**".into(),
            left: None,
        }
    }

    /// Only for this method, on paths such as this one: `*` is any part of it, and `**` any number of parts at its end.
    #[must_use]
    pub fn on(mut self, method: &str, path: &str) -> Self {
        self.method = Some(method.to_owned());
        self.path = path.to_owned();
        self
    }

    /// Only for the next so many requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.left = Some(times);
        self
    }

    fn meets(&self, method: &str, path: &str) -> bool {
        self.method.as_ref().is_none_or(|it| it == method) && matches(&self.path, path)
    }
}

/// Compares part by part.
fn matches(pattern: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    for wanted in pattern.split('/') {
        if wanted == "**" {
            return true;
        }
        match parts.next() {
            Some(part) if wanted == "*" || wanted == part => {}
            _ => return false,
        }
    }
    parts.next().is_none()
}

/// The fault that a request meets: that of the first rule for it that is not used up.
pub(crate) fn fault(rules: &mut Vec<Rule>, method: &str, path: &str) -> Option<Fault> {
    let rule = rules.iter_mut().find(|it| it.meets(method, path))?;
    if let Fault::DieAfter(left @ 1..) = &mut rule.fault {
        *left -= 1;
        return None;
    }
    let fault = rule.fault.clone();
    if let Some(left) = &mut rule.left {
        *left = left.saturating_sub(1);
    }
    rules.retain(|rule| rule.left != Some(0));
    Some(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_part_by_part() {
        assert!(matches("**", "/v4/info"));
        assert!(matches(
            "/v4/sessions/*/players/**",
            "/v4/sessions/a/players/1"
        ));
        assert!(matches(
            "/v4/sessions/*/players/*",
            "/v4/sessions/a/players/1"
        ));
        assert!(!matches(
            "/v4/sessions/*/players",
            "/v4/sessions/a/players/1"
        ));
        assert!(!matches(
            "/v4/sessions/*/players/*",
            "/v4/sessions/a/players"
        ));
    }

    #[test]
    fn a_rule_is_used_up() {
        let mut rules = vec![Rule::new(Fault::Drop).on("GET", "/a").times(2)];
        assert_eq!(fault(&mut rules, "PATCH", "/a"), None);
        assert_eq!(fault(&mut rules, "GET", "/b"), None);
        assert_eq!(fault(&mut rules, "GET", "/a"), Some(Fault::Drop));
        assert_eq!(fault(&mut rules, "GET", "/a"), Some(Fault::Drop));
        assert_eq!(fault(&mut rules, "GET", "/a"), None);
    }

    #[test]
    fn a_node_dies_after_some_answers() {
        let mut rules = vec![Rule::new(Fault::DieAfter(2))];
        assert_eq!(fault(&mut rules, "GET", "/a"), None);
        assert_eq!(fault(&mut rules, "GET", "/a"), None);
        assert_eq!(fault(&mut rules, "GET", "/a"), Some(Fault::DieAfter(0)));
    }
}
