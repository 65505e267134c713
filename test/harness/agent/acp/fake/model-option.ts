/** ACP's option by which an agent is told its model. */
export function modelOption(models: readonly string[], currentValue = models[0] ?? '') {
  return {
    id: 'model',
    name: 'Model',
    category: 'model',
    type: 'select' as const,
    currentValue,
    options: models.map((value) => ({ value, name: value })),
  };
}
