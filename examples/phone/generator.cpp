// An exported generator by LiteRT's C++ interface: one image to standard output, as a PGM or PPM file.
//
//     generator generator_batch1.tflite [label] > image.pgm

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>

#include "tflite/interpreter.h"
#include "tflite/interpreter_builder.h"
#include "tflite/kernels/register.h"
#include "tflite/model_builder.h"
#include "tflite/signature_runner.h"

int Fail(const char* told) {
  std::cerr << told << '\n';
  return EXIT_FAILURE;
}

int main(int count, char** arguments) {
  if (count < 2) return Fail("Give a .tflite of one image, and a label if the model knows classes.");
  const auto model = tflite::FlatBufferModel::BuildFromFile(arguments[1]);
  if (!model) return Fail("The file cannot be read.");
  std::unique_ptr<tflite::Interpreter> interpreter;
  tflite::ops::builtin::BuiltinOpResolver operations;  // with XNNPACK; every export gets by with builtin operations
  if (tflite::InterpreterBuilder(*model, operations)(&interpreter) != kTfLiteOk) return Fail("The file cannot be run.");
  tflite::SignatureRunner* generator = interpreter->GetSignatureRunner("serving_default");
  if (!generator || generator->AllocateTensors() != kTfLiteOk) return Fail("The file has no signature serving_default.");

  TfLiteTensor* latents = generator->input_tensor("latents");  // float32 (1, latent_dim)
  std::mt19937 bits{std::random_device{}()};
  std::uniform_real_distribution<float> prior(-1.0f, 1.0f);  // or std::normal_distribution: card.json says which
  std::generate_n(latents->data.f, latents->bytes / sizeof(float), [&] { return prior(bits); });
  if (generator->input_size() > 1) {
    if (count < 3) return Fail("This model knows classes: give a label.");
    TfLiteTensor* labels = generator->input_tensor("labels");  // int32 (1)
    labels->data.i32[0] = std::atoi(arguments[2]);             // from 0 to num_classes - 1, as in card.json
  }
  if (generator->Invoke() != kTfLiteOk) return Fail("The generator did not run.");

  const TfLiteTensor* images = generator->output_tensor("images");  // float32 (1, height, width, channels)
  const int* shape = images->dims->data;
  std::cout << (shape[3] == 3 ? "P6 " : "P5 ") << shape[2] << ' ' << shape[1] << " 255\n";
  for (int at = 0; at < shape[1] * shape[2] * shape[3]; ++at) {
    const float level = std::nearbyint((images->data.f[at] + 1.0f) * 127.5f);
    std::cout.put(static_cast<char>(static_cast<std::uint8_t>(std::clamp(level, 0.0f, 255.0f))));
  }
  return EXIT_SUCCESS;
}
