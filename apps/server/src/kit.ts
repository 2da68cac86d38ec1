// What a dialect from outside this repository is made of: `service-discovery/server`.

export { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
export type { FastifyReply, FastifyRequest } from 'fastify';
export { Answers } from './answers/answers.js';
export type { DialectModule } from './api/dialects/index.js';
export { AnswersPick, AnswersRead, AnswersWrite } from './api/openapi.js';
export { idParam, nameParam } from './api/params.js';
export { actorOf, authorOf, type Author, type Caller } from './auth/caller.js';
export { Needs, type Need } from './auth/roles.js';
export { Discovery } from './discovery/discovery.js';
export type { PickWish, Seen } from './discovery/seen.js';
export { ApiOperation, ApiResponse, ApiTags } from './docs/decorators.js';
export { badRequest, notFound, Problem } from './http/problem.js';
export { Registrations, type Patch } from './registration/registrations.js';
export type { CheckWish, RegistrationWish } from './registration/wish.js';
