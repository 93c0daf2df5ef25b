//! What `doctor` is told of a configuration.

use dalsegno::Severity;

use crate::house::{House, mode};

fn findings(house: &House) -> Vec<(Severity, String)> {
    let findings = house.load().check();
    assert!(findings.iter().all(|finding| !finding.remedy.is_empty()));
    findings
        .into_iter()
        .map(|f| (f.severity, f.message))
        .collect()
}

#[track_caller]
fn finds(house: &House, severity: Severity, said: &str) {
    match &findings(house)[..] {
        [(found, message)] if *found == severity && message.contains(said) => {}
        other => panic!("should find '{said}': {other:?}"),
    }
}

#[test]
fn a_fine_configuration_has_no_findings() {
    let house = House::new();
    assert_eq!(findings(&house), []);
    house.write("secret", "s");
    house.user(
        "[[hook]]\nevents = ['created', '*']\ncommand = ['sh']\n\
         [[hook]]\nevents = ['restored']\nwebhook = 'https://a.example'\nsecret_file = '../../secret'\n\
         [[hook]]\nevents = ['restored']\nwebhook = 'http://[::1]:8080/'\n",
    );
    assert_eq!(findings(&house), []);
}

#[test]
fn what_will_not_work_or_is_in_danger_is_found() {
    use Severity::{Problem, Warning};
    for (rest, severity, said) in [
        (
            "events = ['restoerd']\ncommand = ['sh']",
            Warning,
            "no event is called 'restoerd'",
        ),
        (
            "events = ['*']\ncommand = ['no-such-program-anywhere']",
            Problem,
            "no program no-such",
        ),
        ("events = ['*']\ncommand = ['./plain']", Problem, "/plain"),
        (
            "events = ['*']\nwebhook = 'http://a.example'",
            Warning,
            "the webhook at a.example is not encrypted",
        ),
        (
            "events = ['*']\nwebhook = 'https://a'\nsecret_env = 'NO_SUCH_VARIABLE'",
            Problem,
            "NO_SUCH_VARIABLE",
        ),
        (
            "events = ['*']\nwebhook = 'https://a'\nsecret_file = 'none'",
            Problem,
            "cannot be found",
        ),
        (
            "events = ['*']\nwebhook = 'https://a'\nsecret_file = 'empty'",
            Problem,
            "is empty",
        ),
        (
            "events = ['*']\nwebhook = 'https://a'\nsecret_file = 'open'",
            Problem,
            "can be read by others",
        ),
    ] {
        let house = House::new();
        house.write(".config/dalsegno/plain", "echo");
        house.write(".config/dalsegno/empty", "");
        mode(&house.write(".config/dalsegno/open", "s"), 0o644);
        house.user(&format!("[[hook]]\n{rest}"));
        finds(&house, severity, said);
    }
}

#[test]
fn what_is_left_out_is_found_with_the_way_to_trust_it() {
    let house = House::new();
    house.project("[[hook]]\nevents = ['*']\ncommand = ['sh']");
    finds(
        &house,
        Severity::Warning,
        "is not run: the file is not trusted",
    );
    assert!(house.load().check()[0].remedy.contains("dalsegno trust"));
}
