//! The files of `docker/`, read.

use std::path::PathBuf;

/// A file of the repository.
pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// What it says.
pub(crate) fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The rest of the only line that begins with `start`.
#[track_caller]
pub(crate) fn line_with<'a>(text: &'a str, start: &str) -> &'a str {
    let mut lines = text.lines().filter_map(|line| line.trim_start().strip_prefix(start));
    let line = lines.next().unwrap_or_else(|| panic!("no line begins with {start}"));
    assert!(lines.next().is_none(), "more than one line begins with {start}");
    line.trim()
}

/// The last stage of the Dockerfile: keywords and what follows them.
pub(crate) struct Image(Vec<(String, String)>);

/// The image that `docker build` makes.
pub(crate) fn image() -> Image {
    let text = text("docker/Dockerfile");
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect::<Vec<_>>().join("\n");
    let whole = lines.replace("\\\n", " ");
    let instructions = whole.lines().filter_map(|line| line.trim().split_once(' '));
    let all: Vec<(String, String)> =
        instructions.map(|(keyword, rest)| (keyword.to_owned(), rest.trim().to_owned())).collect();
    let last = all.iter().rposition(|(keyword, _)| keyword == "FROM").expect("a stage");
    Image(all[last..].to_vec())
}

impl Image {
    /// What follows a keyword that stands there once.
    #[track_caller]
    pub(crate) fn one(&self, keyword: &str) -> &str {
        let found: Vec<&str> = self.all(keyword).collect();
        assert_eq!(found.len(), 1, "{keyword}");
        found[0]
    }

    /// The words that follow a keyword as a list.
    #[track_caller]
    pub(crate) fn json(&self, keyword: &str) -> Vec<String> {
        serde_json::from_str(self.one(keyword)).expect("a list of words")
    }

    /// Whether it has such an instruction.
    pub(crate) fn has(&self, keyword: &str) -> bool {
        self.all(keyword).next().is_some()
    }

    /// The variables that it sets.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let variable = |text: &str| {
            let (name, value) = text.split_once('=').expect("a name and a value");
            (name.to_owned(), value.trim_matches('"').to_owned())
        };
        self.all("ENV").map(variable).collect()
    }

    fn all(&self, keyword: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(other, _)| other == keyword).map(|(_, rest)| rest.as_str())
    }
}
