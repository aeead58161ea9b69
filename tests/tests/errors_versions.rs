//! Clients and servers of two versions of one catalogue: what both know they tell each other, and what
//! one of them doesn't know is kept whole.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use apibase::{CallError, CallInfo, CallOptions, Code, Failure, FailureKind, Server};
use common::{Running, any, error_info, rich, soon};

/// A servicer of one version that fails with what its requests name, and how its client of the other
/// version fails.
macro_rules! version {
    ($version:ident) => {
        use apibase::{Context, Streamed};
        use apibase_tests::$version::errors_versions::Book;
        pub(super) use apibase_tests::$version::errors_versions::api::{
            LibraryError, LibraryServiceClient, LibraryServiceServer, LibraryServicer,
        };

        pub(super) struct Library(pub(super) fn(&str) -> LibraryError);

        impl LibraryServicer for Library {
            async fn lend(&self, _: &Context, book: Book) -> Result<Book, LibraryError> {
                Err((self.0)(&book.title))
            }

            async fn lend_all(
                &self,
                _: &Context,
                book: Book,
            ) -> Result<Streamed<Book, LibraryError>, LibraryError> {
                let error = (self.0)(&book.title);
                Ok(Streamed::from_iter([Ok(book), Err(error)]))
            }
        }

        /// How loans of this name fail, at once and after a book.
        pub(super) async fn errors(
            client: &LibraryServiceClient,
            title: &str,
        ) -> [apibase::CallError<LibraryError>; 2] {
            let ctx = Context::background();
            let book = || Book {
                title: title.to_owned(),
            };
            let at_once = super::soon(client.lend(&ctx, book())).await.unwrap_err();
            let mut books = super::soon(client.lend_all(&ctx, book())).await.unwrap();
            assert!(super::soon(books.message()).await.unwrap().is_some());
            [at_once, super::soon(books.message()).await.unwrap_err()]
        }
    };
}

mod older {
    version!(errors_older);
}

mod newer {
    version!(errors_newer);
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn older_error(name: &str) -> older::LibraryError {
    use older::LibraryError as E;
    let title = text("Emma");
    match name {
        "lent" => E::Lent { title },
        "closed" => E::Closed,
        "misplaced" => E::Misplaced { title },
        "damaged" => E::Damaged {
            title,
            page: text("7"),
        },
        "burnt" => E::Burnt { title },
        other => panic!("{other}"),
    }
}

fn newer_error(name: &str) -> newer::LibraryError {
    use newer::LibraryError as E;
    let (title, reader) = (text("Emma"), text("Bob"));
    match name {
        "lent" => E::Lent { title },
        "closed" => E::Closed,
        "misplaced" => E::Misplaced {
            title,
            room: text("attic"),
        },
        "damaged" => E::Damaged { title },
        "reserved" => E::Reserved { title, reader },
        "reserved, and more" => {
            let info = error_info(
                "library.example.com",
                "RESERVED",
                &[("title", "Emma"), ("reader", "Bob")],
            );
            let wait = error_info("library.example.com", "WAIT", &[]);
            let mut status = rich(Code::AlreadyExists, "wait", vec![any(&info), any(&wait)]);
            let queue = "7".parse().unwrap();
            status.metadata_mut().insert("x-queue", queue);
            status.into()
        }
        other => panic!("{other}"),
    }
}

/// A client of the older version at a server of the newer one.
async fn older_at_newer() -> older::LibraryServiceClient {
    let library = newer::LibraryServiceServer::new(newer::Library(newer_error));
    let server = Running::of(Server::new().add_servicer(library)).await;
    let client = older::LibraryServiceClient::connect(server.target());
    soon(client).await.unwrap()
}

/// A client of the newer version at a server of the older one.
async fn newer_at_older() -> newer::LibraryServiceClient {
    let library = older::LibraryServiceServer::new(older::Library(older_error));
    let server = Running::of(Server::new().add_servicer(library)).await;
    let client = newer::LibraryServiceClient::connect(server.target());
    soon(client).await.unwrap()
}

fn own<E: std::fmt::Debug>(error: CallError<E>) -> String {
    match error {
        CallError::Service(error) => format!("{error:?}"),
        other => panic!("{other:?}"),
    }
}

fn unknown<E: std::fmt::Debug>(error: CallError<E>) -> Failure {
    let failure = *error.into_service().unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Status);
    failure
}

#[tokio::test]
async fn an_older_client_knows_what_a_newer_server_has_kept() {
    let client = older_at_newer().await;
    for (name, expected) in [
        ("lent", "Lent { title: \"Emma\" }"),
        ("closed", "Closed"),
        // What it doesn't know it doesn't have.
        ("misplaced", "Misplaced { title: \"Emma\" }"),
        // What it isn't told is empty.
        ("damaged", "Damaged { title: \"Emma\", page: \"\" }"),
    ] {
        for error in older::errors(&client, name).await {
            assert_eq!(own(error), expected);
        }
    }
}

#[tokio::test]
async fn a_newer_client_knows_what_an_older_server_has() {
    let client = newer_at_older().await;
    for (name, expected) in [
        ("lent", "Lent { title: \"Emma\" }"),
        ("closed", "Closed"),
        ("misplaced", "Misplaced { title: \"Emma\", room: \"\" }"),
        ("damaged", "Damaged { title: \"Emma\" }"),
    ] {
        for error in newer::errors(&client, name).await {
            assert_eq!(own(error), expected);
        }
    }
}

#[tokio::test]
async fn a_reason_that_a_client_does_not_know_is_kept_whole() {
    let client = older_at_newer().await;
    for error in older::errors(&client, "reserved").await {
        assert_eq!(error.code(), Code::AlreadyExists);
        let failure = unknown(error);
        let status = failure.status();
        assert_eq!(status.code(), Code::AlreadyExists);
        assert_eq!(status.message(), "Emma is reserved for Bob");
        assert!(status.metadata().get_bin("error-detail-bin").is_some());
        let details = failure.details();
        assert_eq!(details.reason(), Some(("library.example.com", "RESERVED")));
        let metadata = [("title", "Emma"), ("reader", "Bob")];
        let metadata = metadata.map(|(key, value)| (text(key), text(value)));
        assert_eq!(details.metadata, metadata.into());
        assert_eq!(details.others, []);
    }

    let client = newer_at_older().await;
    for error in newer::errors(&client, "burnt").await {
        let failure = unknown(error);
        assert_eq!(failure.status().code(), Code::DataLoss);
        assert_eq!(failure.status().message(), "Emma is burnt");
        let details = failure.details();
        assert_eq!(details.reason(), Some(("library.example.com", "BURNT")));
        assert_eq!(details.metadata["title"], "Emma");
    }
}

#[tokio::test]
async fn what_else_came_with_it_is_kept_too() {
    let client = older_at_newer().await;
    for error in older::errors(&client, "reserved, and more").await {
        let failure = unknown(error);
        let details = failure.details();
        assert_eq!(details.reason(), Some(("library.example.com", "RESERVED")));
        let wait = error_info("library.example.com", "WAIT", &[]);
        assert_eq!(details.others, [any(&wait)]);
        let metadata = failure.status().metadata();
        assert_eq!(metadata.get("x-queue").unwrap(), "7");
    }
}

/// The code on the wire is the server's, that of the error is what the client's own table says.
#[tokio::test]
async fn a_code_that_has_changed_does_not_matter() {
    let client = older_at_newer().await;
    let info = CallInfo::new();
    let client = client.with(CallOptions::new().info(&info));
    for error in older::errors(&client, "closed").await {
        assert!(matches!(
            error,
            CallError::Service(older::LibraryError::Closed)
        ));
        assert_eq!(error.code(), Code::Unavailable);
        let status = info.status().unwrap();
        assert_eq!(status.code(), Code::FailedPrecondition);
    }
}
