//! From a question to its answer.

use super::index::{Index, Sent};
use super::messages::{
    Answer, Error, ExtensionNumbers, Files, Question, Request, Response, ServiceName, Services,
};
use crate::Code;

/// Answers one request; `sent` are the files that its stream has had.
pub(super) fn answer(index: &Index, sent: &mut Sent, request: Request) -> Response {
    let mut files = |file: Option<usize>, missing| match file {
        Some(file) => Answer::Files(Files {
            descriptors: index.with_imports(file, sent),
        }),
        None => error(Code::NotFound, missing),
    };
    let answer = match &request.question {
        Some(Question::FileByFilename(name)) => {
            files(index.file(name), "no file here has this name")
        }
        Some(Question::FileContainingSymbol(symbol)) => files(
            index.file_of_symbol(symbol),
            "no file here declares this symbol",
        ),
        Some(Question::FileContainingExtension(extension)) => files(
            index.file_of_extension(&extension.containing_type, extension.number),
            "no file here declares this extension",
        ),
        Some(Question::AllExtensionNumbersOfType(name)) => match index.extension_numbers(name) {
            Some(numbers) => Answer::ExtensionNumbers(ExtensionNumbers {
                base_type_name: name.clone(),
                numbers,
            }),
            None => error(Code::NotFound, "no file here declares this message"),
        },
        Some(Question::ListServices(_)) => {
            let names = index.services().map(str::to_owned);
            let services = names.map(|name| ServiceName { name }).collect();
            Answer::Services(Services { services })
        }
        // Or it asks for what only later versions of the protocol know.
        None => error(Code::InvalidArgument, "the request asks for nothing"),
    };
    Response {
        valid_host: request.host.clone(),
        original_request: Some(request),
        answer: Some(answer),
    }
}

/// The question stands in the response too, so there is no need to repeat it.
fn error(code: Code, message: &str) -> Answer {
    Answer::Error(Error {
        code: code as i32,
        message: message.to_owned(),
    })
}
