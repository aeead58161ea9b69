//! The conformance service: each answer is what its request says it should be.

use apibase::{Context, DomainError, Inbound, Status, Streamed};

use crate::answer::{packed, single};
use crate::connectrpc::conformance::v1::api::ConformanceServicer;
use crate::connectrpc::conformance::v1::{
    BidiStreamRequest, BidiStreamResponse, ClientStreamRequest, ClientStreamResponse,
    IdempotentUnaryRequest, IdempotentUnaryResponse, ServerStreamRequest, ServerStreamResponse,
    UnaryRequest, UnaryResponse, UnimplementedRequest, UnimplementedResponse,
};
use crate::metadata::observed;
use crate::replay::{Replay, alternate};

pub(crate) struct Conformance;

impl ConformanceServicer for Conformance {
    async fn unary(
        &self,
        ctx: &Context,
        request: UnaryRequest,
    ) -> Result<UnaryResponse, DomainError> {
        let requests = vec![packed("UnaryRequest", &request)];
        let payload = single(ctx, request.response_definition, requests).await?;
        Ok(UnaryResponse {
            payload: Some(payload),
        })
    }

    async fn idempotent_unary(
        &self,
        ctx: &Context,
        request: IdempotentUnaryRequest,
    ) -> Result<IdempotentUnaryResponse, DomainError> {
        let requests = vec![packed("IdempotentUnaryRequest", &request)];
        let payload = single(ctx, request.response_definition, requests).await?;
        Ok(IdempotentUnaryResponse {
            payload: Some(payload),
        })
    }

    async fn server_stream(
        &self,
        ctx: &Context,
        request: ServerStreamRequest,
    ) -> Result<Streamed<ServerStreamResponse, DomainError>, DomainError> {
        let info = observed(ctx, vec![packed("ServerStreamRequest", &request)]);
        let wrap = |payload| ServerStreamResponse {
            payload: Some(payload),
        };
        let (replay, replies) = Replay::new(ctx, request.response_definition, wrap)?;
        tokio::spawn(replay.rest(info));
        Ok(replies)
    }

    async fn client_stream(
        &self,
        ctx: &Context,
        mut requests: Inbound<ClientStreamRequest>,
    ) -> Result<ClientStreamResponse, DomainError> {
        let mut seen = Vec::new();
        let mut definition = None;
        while let Some(request) = requests.message().await? {
            let packed = packed("ClientStreamRequest", &request);
            if seen.is_empty() {
                definition = request.response_definition;
            }
            seen.push(packed);
        }
        let payload = single(ctx, definition, seen).await?;
        Ok(ClientStreamResponse {
            payload: Some(payload),
        })
    }

    async fn bidi_stream(
        &self,
        ctx: &Context,
        mut requests: Inbound<BidiStreamRequest>,
    ) -> Result<Streamed<BidiStreamResponse, DomainError>, DomainError> {
        let wrap = |payload| BidiStreamResponse {
            payload: Some(payload),
        };
        let first = requests.message().await?.unwrap_or_default();
        let mut info = observed(ctx, vec![packed("BidiStreamRequest", &first)]);
        let (replay, replies) = Replay::new(ctx, first.response_definition, wrap)?;
        if first.full_duplex {
            tokio::spawn(alternate(replay, requests, info));
        } else {
            while let Some(request) = requests.message().await? {
                info.requests.push(packed("BidiStreamRequest", &request));
            }
            tokio::spawn(replay.rest(info));
        }
        Ok(replies)
    }

    async fn unimplemented(
        &self,
        _ctx: &Context,
        _request: UnimplementedRequest,
    ) -> Result<UnimplementedResponse, DomainError> {
        Err(Status::unimplemented("this is what the runner expects").into())
    }
}
