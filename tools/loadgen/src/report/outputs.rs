//! Where a report goes: standard output and files.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::Form;

/// What a user wants to have of a report, beside or instead of the table.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outputs {
    /// JSON on standard output instead of the table.
    pub json: bool,
    /// File of the percentile distribution.
    pub hgrm: Option<PathBuf>,
    /// File of the picture.
    pub svg: Option<PathBuf>,
}

impl Outputs {
    /// Finds out whether the files can be written, so that nobody measures for an hour in vain. The error is a sentence.
    pub fn check(&self) -> Result<(), String> {
        self.hgrm.iter().chain(&self.svg).try_for_each(|path| probe(path))
    }

    /// Writes the table or the JSON to `out`, and the files. A file that cannot be written keeps nothing else from being
    /// delivered; the error is a sentence about each of them.
    pub fn deliver(&self, form: &dyn Form, out: &mut dyn Write) -> Result<(), String> {
        let mut failures = Vec::new();
        let text = if self.json { form.json() } else { form.table() };
        if let Err(error) = write_whole(out, &text) {
            failures.push(format!("the report cannot be written to standard output: {error}"));
        }
        if let Some(path) = &self.hgrm {
            let distributions = form.hgrm();
            if distributions.is_empty() {
                failures.push(format!("{}: this mode has no percentile distribution", path.display()));
            }
            failures
                .extend(distributions.iter().filter_map(|(mark, text)| write_file(&marked(path, mark), text).err()));
        }
        if let Some(path) = &self.svg {
            failures.extend(write_file(path, &form.svg()).err());
        }
        if failures.is_empty() { Ok(()) } else { Err(failures.join("; ")) }
    }
}

/// Whoever reads may have read enough: a closed pipe is no failure.
fn write_whole(out: &mut dyn Write, text: &str) -> io::Result<()> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

fn write_file(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| sentence(path, &error))
}

fn sentence(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be written: {error}", path.display())
}

/// `latency.hgrm` with the mark `a` is `latency.a.hgrm`.
fn marked(path: &Path, mark: &str) -> PathBuf {
    match (mark, path.extension()) {
        ("", _) => path.to_owned(),
        (mark, None) => path.with_extension(mark),
        (mark, Some(extension)) => path.with_extension(format!("{mark}.{}", extension.to_string_lossy())),
    }
}

/// Opens a file for writing, and leaves it as it was. What is no file (a pipe, a terminal) is not touched.
fn probe(path: &Path) -> Result<(), String> {
    let existed = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            return Err(format!("{} cannot be written: it is a directory", path.display()));
        }
        Ok(metadata) if !metadata.is_file() => return Ok(()),
        Ok(_) => true,
        Err(_) => false,
    };
    fs::OpenOptions::new().append(true).create(true).open(path).map_err(|error| sentence(path, &error))?;
    if !existed {
        // It was made a moment ago, and is empty; if it cannot be removed, it will be written to.
        let _ = fs::remove_file(path);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Report;
    use crate::report::testing::busy;

    /// A directory that goes with the test.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("corewise-loadgen-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).expect("the temporary directory is writable");
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// Refuses whatever is written.
    struct Refusing(ErrorKind);

    impl Write for Refusing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn everything_that_was_asked_for_is_written() {
        let scratch = Scratch::new("deliver");
        let findings = busy();
        let report = Report { title: "run", settings: &[], findings: &findings, goal: None };
        let (hgrm, svg) = (scratch.0.join("latency.hgrm"), scratch.0.join("run.svg"));
        let outputs = Outputs { json: false, hgrm: Some(hgrm.clone()), svg: Some(svg.clone()) };
        assert_eq!(outputs.check(), Ok(()));
        assert!(!hgrm.exists() && !svg.exists(), "looking leaves nothing behind");
        let mut out = Vec::new();
        assert_eq!(outputs.deliver(&report, &mut out), Ok(()));
        assert!(out.starts_with(b"run\n"));
        assert!(fs::read_to_string(&hgrm).is_ok_and(|text| text.contains("#[Max")));
        assert!(fs::read_to_string(&svg).is_ok_and(|text| text.starts_with("<svg")));
        let before = fs::read(&svg).expect("it is there");
        assert_eq!(outputs.check(), Ok(()));
        assert_eq!(fs::read(&svg).expect("it is there"), before, "looking leaves it as it was");
    }

    #[test]
    fn a_closed_pipe_is_no_failure_and_a_full_disk_is_one() {
        let findings = busy();
        let report = Report { title: "run", settings: &[], findings: &findings, goal: None };
        let outputs = Outputs { json: true, ..Outputs::default() };
        assert_eq!(outputs.deliver(&report, &mut Refusing(ErrorKind::BrokenPipe)), Ok(()));
        let refused = outputs.deliver(&report, &mut Refusing(ErrorKind::StorageFull)).expect_err("it was refused");
        assert!(refused.starts_with("the report cannot be written to standard output: "), "{refused}");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named_and_the_table_is_not_lost() {
        let scratch = Scratch::new("refused");
        let findings = busy();
        let report = Report { title: "run", settings: &[], findings: &findings, goal: None };
        let missing = scratch.0.join("missing").join("run.svg");
        let outputs = Outputs { json: false, hgrm: Some(scratch.0.clone()), svg: Some(missing.clone()) };
        let refused = outputs.check().expect_err("a directory is no file");
        assert_eq!(refused, format!("{} cannot be written: it is a directory", scratch.0.display()));
        let mut out = Vec::new();
        let refused = outputs.deliver(&report, &mut out).expect_err("neither can be written");
        assert!(refused.contains(&format!("{} cannot be written: ", missing.display())), "{refused}");
        assert!(!out.is_empty());
    }

    #[test]
    fn marks_stand_before_the_extension() {
        assert_eq!(marked(Path::new("a/b.hgrm"), ""), Path::new("a/b.hgrm"));
        assert_eq!(marked(Path::new("a/b.hgrm"), "first"), Path::new("a/b.first.hgrm"));
        assert_eq!(marked(Path::new("a/b"), "first"), Path::new("a/b.first"));
    }
}
