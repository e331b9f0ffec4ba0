// An exported generator on Android, by LiteRT.  implementation("com.google.ai.edge.litert:litert:1.4.0")
//
//     val generator = Generator(context.assets.openFd("generator_batch1.tflite"), latentDim = 100, height = 28, width = 28)
//     imageView.setImageBitmap(generator.draw(FloatArray(100) { random.nextFloat() * 2 - 1 }))

import android.content.res.AssetFileDescriptor
import android.graphics.Bitmap
import android.graphics.Color
import java.io.Closeable
import java.io.FileInputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.channels.FileChannel
import kotlin.math.roundToInt
import org.tensorflow.lite.Interpreter

/** `latentDim` and the image's sizes stand in card.json as facts of the model, `numClasses` too, null for one without. */
class Generator(
    file: AssetFileDescriptor,
    private val latentDim: Int,
    private val height: Int,
    private val width: Int,
    private val channels: Int = 1,
    private val numClasses: Int? = null,
) : Closeable {
    private val interpreter =
        FileInputStream(file.fileDescriptor).use {
            val mapped = it.channel.map(FileChannel.MapMode.READ_ONLY, file.startOffset, file.declaredLength)
            Interpreter(mapped, Interpreter.Options().setNumThreads(2))
        }
    private val pixels =
        ByteBuffer.allocateDirect(4 * height * width * channels).order(ByteOrder.nativeOrder())

    /** One image for `latentDim` numbers from the prior, and a class if the model knows any. */
    fun draw(latents: FloatArray, label: Int? = null): Bitmap {
        require(latents.size == latentDim) { "latents has ${latents.size} numbers; give $latentDim." }
        require((label == null) == (numClasses == null)) { "Give a label to a model with classes, and to no other." }
        val inputs = mutableMapOf<String, Any>("latents" to arrayOf(latents))
        if (label != null) {
            require(label in 0 until numClasses!!) { "label is $label; give 0 to ${numClasses - 1}." }
            inputs["labels"] = intArrayOf(label)
        }
        pixels.rewind()
        interpreter.runSignature(inputs, mapOf("images" to pixels), "serving_default")
        pixels.rewind()
        val floats = pixels.asFloatBuffer()
        val colours = IntArray(height * width) { at ->
            val level = { channel: Int -> ((floats[at * channels + channel] + 1) * 127.5f).roundToInt().coerceIn(0, 255) }
            if (channels == 3) Color.rgb(level(0), level(1), level(2)) else level(0).let { Color.rgb(it, it, it) }
        }
        return Bitmap.createBitmap(colours, width, height, Bitmap.Config.ARGB_8888)
    }

    override fun close() = interpreter.close()
}
