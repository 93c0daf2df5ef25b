//! Where the key comes from: which layer says so, and which may.

use dalsegno::ErrorKind;
use dalsegno_config::{Config, KeySource, Origin, Refused, Role, Trust};

use crate::house::{House, mode};

const COMMAND: &str = "[key]\ncommand = 'pass show bot'\n";

fn key(house: &House) -> Option<(KeySource, Origin)> {
    let key = house.load().config.key;
    key.map(|setting| (setting.value, setting.origin))
}

fn in_environment(variable: &str) -> Origin {
    let variable = variable.to_owned();
    Origin::Environment { variable }
}

#[test]
fn options_and_variables_come_before_files_and_in_their_order() {
    let mut house = House::new();
    assert_eq!(key(&house), None);
    house.user(COMMAND);
    house.variable("DALSEGNO_KEY_COMMAND", "pass show other");
    let command = KeySource::Command {
        line: "pass show other".to_owned(),
        folder: None,
    };
    let origin = in_environment("DALSEGNO_KEY_COMMAND");
    assert_eq!(key(&house), Some((command, origin)));
    house.variable("DALSEGNO_KEY", "given");
    let origin = in_environment("DALSEGNO_KEY");
    assert_eq!(key(&house), Some((KeySource::Variable, origin)));
    house.variable("DALSEGNO_KEY_FILE", "k");
    let origin = in_environment("DALSEGNO_KEY_FILE");
    assert_eq!(key(&house), Some((KeySource::File("k".into()), origin)));
    house.layers.flags.key_file = Some("flag".into());
    let flag = (KeySource::File("flag".into()), Origin::Flag);
    assert_eq!(key(&house), Some(flag));
}

#[test]
fn a_command_is_of_the_user_or_of_a_file_that_is_trusted() {
    let house = House::new();
    house.user(COMMAND);
    let folder = |folder: &str| KeySource::Command {
        line: "pass show bot".to_owned(),
        folder: Some(house.path(folder)),
    };
    assert_eq!(key(&house).unwrap().0, folder(".config/dalsegno"));

    // What the project may not say, the user may.
    let project = house.project(COMMAND);
    assert_eq!(key(&house).unwrap().0, folder(".config/dalsegno"));
    let left_out = &house.load().left_out[0];
    assert!(left_out.role == Role::Key && left_out.why == Refused::Untrusted);
    let said = left_out.to_string();
    assert!(
        said.starts_with("the key's command 'pass show bot' ("),
        "{said}"
    );

    let trusting = Trust::look(&house.layers, &project).unwrap();
    assert_eq!(trusting.key_command.as_deref(), Some("pass show bot"));
    trusting.accept().unwrap();
    assert_eq!(key(&house).unwrap().0, folder("project"));
    assert_eq!(house.load().left_out, []);
    mode(&project, 0o620);
    assert_eq!(key(&house).unwrap().0, folder(".config/dalsegno"));
}

#[test]
fn a_key_file_that_anybody_could_have_named_is_refused() {
    let house = House::new();
    let file = house.project("[key]\nfile = 'k'");
    assert_eq!(
        key(&house).unwrap().0,
        KeySource::File(house.path("project/k"))
    );
    mode(&file, 0o606);
    let error = Config::load(&house.layers).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(
        error
            .to_string()
            .contains("name the key's file with --key-file"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_not_there_or_for_all_to_read_is_found() {
    let house = House::new();
    house.project("[key]\nfile = 'k'");
    let said = |house: &House| {
        let findings = house.load().check();
        findings
            .iter()
            .map(|it| it.message.clone())
            .collect::<Vec<_>>()
            .join("; ")
    };
    assert!(said(&house).contains("cannot be found"));
    let file = house.write("project/k", "horse");
    assert_eq!(said(&house), "");
    mode(&file, 0o644);
    assert!(said(&house).contains("can be read by everybody"));
}
