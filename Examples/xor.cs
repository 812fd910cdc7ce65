// One quadratic neuron learns exclusive or, which no linear neuron can learn:   dotnet run Examples/xor.cs
#:project ../Layers/QuadEngine.Layers.csproj

using QuadEngine;
using QuadEngine.Layers;

// All four inputs, and their truth values.
var x = Tensor.FromArray([-1, -1, -1, 1, 1, -1, 1, 1], [4, 2]);
var truth = Tensor.FromArray([0, 1, 1, 0], [4, 1]);

// Rank 1: f = q . x, y = w . x + b + lambda f^2. The output of the layer is [y, f]; y is the answer. With q = (1, -1), f^2 is 4 if the inputs differ.
Generator.Default = new Generator(seed: 1);
var neuron = new QuadraticLinear(inFeatures: 2, outFeatures: 2, rank: 1, options: new() { LambdaLearningRate = 1f });
var adam = new AdamW(neuron.ParameterGroups(), learningRate: 0.05f, weightDecay: 0f);

for (var step = 0; step <= 300; step++)
{
    var y = neuron[x].Slice(axis: 1, start: 0, count: 1);
    var loss = Losses.BinaryCrossEntropyWithLogits(y, truth);
    loss.Backward();
    adam.Step();
    if (step % 50 == 0) Console.WriteLine($"step {step,3}  loss {loss.Item():0.0000}  answers {string.Join(' ', y.ToArray().Select(value => value > 0 ? 1 : 0))}");
}
