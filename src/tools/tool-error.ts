/**
 * What keeps a tool from doing its work: one sentence for the operator, without a stack.
 */
export class ToolError extends Error {
  override readonly name = 'ToolError';
}
