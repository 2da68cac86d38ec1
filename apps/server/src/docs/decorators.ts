import type * as Swagger from '@nestjs/swagger';

// The decorators of @nestjs/swagger, told to the package only when it is loaded: it takes 8 MB and a
// quarter of the time to start, and most servers never need it.

type Package = typeof Swagger;

/** What has been decorated, in that order. */
const waiting: ((swagger: Package) => void)[] = [];

/** The package, once it has seen every decorator: when somebody asks for the document. */
export async function loadSwagger(): Promise<Package> {
  const swagger = await import('@nestjs/swagger');
  for (const decorate of waiting.splice(0)) decorate(swagger);
  return swagger;
}

function later<Options extends unknown[]>(
  from: (swagger: Package) => (...options: Options) => ClassDecorator | MethodDecorator,
) {
  return (...options: Options): ClassDecorator & MethodDecorator =>
    (...decorated: unknown[]) => {
      waiting.push((swagger) => {
        Reflect.apply(from(swagger)(...options), undefined, decorated);
      });
    };
}

export const ApiBody = later((swagger) => swagger.ApiBody);
export const ApiExcludeController = later((swagger) => swagger.ApiExcludeController);
export const ApiExtension = later((swagger) => swagger.ApiExtension);
export const ApiHeader = later((swagger) => swagger.ApiHeader);
export const ApiOperation = later((swagger) => swagger.ApiOperation);
export const ApiQuery = later((swagger) => swagger.ApiQuery);
export const ApiResponse = later((swagger) => swagger.ApiResponse);
export const ApiTags = later((swagger) => swagger.ApiTags);
