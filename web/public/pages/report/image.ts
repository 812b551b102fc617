// A receipt as a picture: the number and when, nothing of what was written.
export interface ReceiptText {
  title: string;
  census: string;
  number: string;
  lines: string[];
}

export async function receiptImage(r: ReceiptText): Promise<void> {
  const canvas = document.createElement('canvas');
  const pen = canvas.getContext('2d');
  if (!pen) return;
  const style = getComputedStyle(document.documentElement);
  const font = style.fontFamily;
  canvas.width = 720;
  canvas.height = 300 + r.lines.length * 40;
  pen.fillStyle = 'white';
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = 'black';
  pen.font = `bold 36px ${font}`;
  pen.fillText(r.title, 40, 70);
  pen.font = `26px ${font}`;
  pen.fillText(r.census, 40, 120);
  pen.font = 'bold 52px monospace';
  pen.fillText(r.number, 40, 210);
  pen.font = `26px ${font}`;
  r.lines.forEach((line, i) => pen.fillText(line, 40, 270 + i * 40));
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/png'));
  if (!blob) return;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = 'receipt.png';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
