//! The names of released archives: the same where they are made (ci/release, in the workflow), and where they are
//! downloaded, by the action and by cargo-binstall.

use super::documents::read;

/// A repository and a version, for the names that depend on them.
const REPOSITORY: &str = "https://github.com/someone/shardproof";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The manifests of the packages that are released.
const MANIFESTS: [&str; 2] = ["suites/shardproof/Cargo.toml", "refproxy/Cargo.toml"];

#[test]
fn archives_have_the_names_that_are_downloaded() {
    let release = read("ci/release");
    let archive = between(&release, "archive=\"", "\"");
    let targets = targets();
    assert!(!targets.is_empty(), "the workflow builds for no target");
    for manifest in MANIFESTS {
        let (name, binstall) = binstall(manifest);
        for target in &targets {
            let made = expanded(archive, &[("$name", &name), ("$target", target)]);
            let made = format!("{REPOSITORY}/releases/download/v{VERSION}/{made}");
            let variables = [
                ("{ repo }", REPOSITORY),
                ("{ version }", VERSION),
                ("{ name }", &name),
                ("{ target }", target),
            ];
            let wanted = binstall["pkg-url"].as_str().expect("a text");
            assert_eq!(expanded(wanted, &variables), made, "{manifest}");
            if name == "shardproof" {
                assert_eq!(of_the_action(target), made, "ci/action/install");
            }
        }
    }
}

#[test]
fn programs_are_at_the_top_of_archives() {
    let release = read("ci/release");
    assert!(release.contains("for name in shardproof refproxy; do"));
    assert!(release.contains("--directory \"$(dirname \"$program\")\" \"$name\""));
    for manifest in MANIFESTS {
        let (_, binstall) = binstall(manifest);
        assert_eq!(binstall["bin-dir"].as_str(), Some("{ bin }"), "{manifest}");
        assert_eq!(binstall["pkg-fmt"].as_str(), Some("tgz"), "{manifest}");
    }
}

/// The name of a package, and its metadata for cargo-binstall.
fn binstall(manifest: &str) -> (String, toml::Table) {
    let table: toml::Table = read(manifest).parse().expect(manifest);
    let package = &table["package"];
    let name = package["name"].as_str().expect("a name");
    let binstall = package["metadata"]["binstall"].as_table().expect("a table");
    (name.to_owned(), binstall.clone())
}

/// The targets of the workflow, which has the tag of a version as the name of the release.
fn targets() -> Vec<String> {
    let workflow = read(".github/workflows/release.yml");
    assert!(workflow.contains("tags: [\"v*\"]"), "other tags");
    assert!(workflow.contains("target/release-files/*.tar.gz"));
    let lines = workflow.lines().map(str::trim);
    let targets = lines.filter_map(|line| line.strip_prefix("- target: "));
    targets.map(str::to_owned).collect()
}

/// The address from which the action downloads the archive of a release, on a machine of this target.
fn of_the_action(target: &str) -> String {
    let install = read("ci/action/install");
    let releases = between(&install, "releases=\"", "\"");
    let (server, repository) = REPOSITORY.rsplit_once(".com/").expect("two parts");
    let machine = target.split('-').next().expect("a processor");
    let variables = [
        ("$GITHUB_SERVER_URL", &*format!("{server}.com")),
        ("$SHARDPROOF_REPOSITORY", repository),
        ("$SHARDPROOF_VERSION", &*format!("v{VERSION}")),
        ("$(uname -m)", machine),
    ];
    let file = between(&install, "\"$releases/", "\"");
    expanded(&format!("{releases}/{file}"), &variables)
}

#[track_caller]
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let found = text.split_once(before).map(|(_, rest)| rest);
    let found = found.and_then(|rest| rest.split_once(after));
    found.unwrap_or_else(|| panic!("no {before}")).0
}

fn expanded(text: &str, variables: &[(&str, &str)]) -> String {
    let replace =
        |text: String, (name, value): &(&str, &str)| -> String { text.replace(name, value) };
    variables.iter().fold(text.to_owned(), replace)
}
