//! The templates: ours, or the user's in their place.

use std::fs;
use std::path::Path;

use minijinja::{Environment, UndefinedBehavior, Value};

use crate::error::{Diagnostic, Error};

/// The page's template, as a user's folder must call it.
const PAGE: &str = "docs/service.md.jinja";

const BUILT_IN: &str = include_str!("../../../templates/docs/service.md.jinja");

/// Template sources by name.
#[derive(Debug)]
pub(super) struct Sources {
    /// The name within the folder, the path for messages, and the text.
    templates: Vec<(String, String, String)>,
}

impl Sources {
    /// The built-in ones without a folder; else all `docs/*.jinja` of it, which can include one
    /// another.
    pub(super) fn load(folder: Option<&Path>) -> Result<Self, Error> {
        let templates = match folder {
            None => vec![(
                PAGE.to_owned(),
                format!("templates/{PAGE}"),
                BUILT_IN.to_owned(),
            )],
            Some(folder) => read_folder(folder)?,
        };
        Ok(Self { templates })
    }

    /// All templates, parsed.
    pub(super) fn environment(&self) -> Result<Environment<'_>, Error> {
        let mut environment = Environment::new();
        // A misspelt name is an error, not a gap in a page.
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_keep_trailing_newline(true);
        for (name, _, source) in &self.templates {
            environment
                .add_template(name, source)
                .map_err(|error| self.explain(&error))?;
        }
        Ok(environment)
    }

    /// One page.
    pub(super) fn render(
        &self,
        environment: &Environment<'_>,
        context: Value,
    ) -> Result<String, Error> {
        environment
            .get_template(PAGE)
            .and_then(|template| template.render(context))
            .map_err(|error| self.explain(&error))
    }

    /// Names the template, the line and the reason.
    fn explain(&self, error: &minijinja::Error) -> Error {
        let name = error.name().unwrap_or(PAGE);
        let path = self
            .templates
            .iter()
            .find(|(known, _, _)| known == name)
            .map_or(name, |(_, path, _)| path);
        let place = match error.line() {
            Some(line) => format!("{path}:{line}"),
            None => path.to_owned(),
        };
        let mut message = format!("the template can't be used: {}", error.kind());
        if let Some(detail) = error.detail() {
            message = format!("{message}: {detail}");
        }
        if let Some(cause) = std::error::Error::source(error) {
            message = format!("{message}: {cause}");
        }
        Error::parameter(vec![Diagnostic::new(message).in_file(place).help(
            "it is a Jinja template; the built-in `templates/docs/service.md.jinja` shows all \
             that a page is given",
        )])
    }
}

fn read_folder(folder: &Path) -> Result<Vec<(String, String, String)>, Error> {
    let page = folder.join(PAGE);
    if !page.is_file() {
        return Err(Error::parameter(vec![
            Diagnostic::new(format!(
                "the templates folder `{}` has no `{PAGE}`",
                folder.display()
            ))
            .help("put the template there, or leave `templates` out to use the built-in one"),
        ]));
    }
    let docs = folder.join("docs");
    let reading = |path: &Path| format!("reading {}", path.display());
    let entries = fs::read_dir(&docs).map_err(|error| Error::io(reading(&docs), error))?;
    let mut templates = Vec::new();
    for entry in entries {
        let path = entry
            .map_err(|error| Error::io(reading(&docs), error))?
            .path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".jinja") {
            let source =
                fs::read_to_string(&path).map_err(|error| Error::io(reading(&path), error))?;
            templates.push((format!("docs/{name}"), path.display().to_string(), source));
        }
    }
    templates.sort();
    Ok(templates)
}
